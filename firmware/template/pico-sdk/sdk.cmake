# The Pico SDK, by -DPICO_SDK_PATH=... or the environment; include this before project().
if(NOT PICO_SDK_PATH)
    set(PICO_SDK_PATH $ENV{PICO_SDK_PATH})
endif()
if(NOT EXISTS ${PICO_SDK_PATH}/external/pico_sdk_import.cmake)
    message(FATAL_ERROR "No Pico SDK at '${PICO_SDK_PATH}': set PICO_SDK_PATH to its folder.")
endif()
include(${PICO_SDK_PATH}/external/pico_sdk_import.cmake)
