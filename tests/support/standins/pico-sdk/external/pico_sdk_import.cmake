# Stands in for the Pico SDK's build: the functions that projects call, over programs of this
# computer.
set(PICO_BOARD standin)
get_filename_component(standin ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

macro(pico_sdk_init)
    add_library(pico_stdlib STATIC ${standin}/core.c)
    target_include_directories(pico_stdlib PUBLIC ${standin}/include)
    foreach(part hardware_uart)
        add_library(${part} INTERFACE)
        target_link_libraries(${part} INTERFACE pico_stdlib)
    endforeach()
endmacro()

function(pico_enable_stdio_usb target is_on)
endfunction()

function(pico_enable_stdio_uart target is_on)
endfunction()

function(pico_add_extra_outputs target)
endfunction()
