# Stands in for Zephyr's build: the functions that modules call, over one program of this computer.
# STANDIN_CONFIG names a .config file.
project(standin C ASM)

file(STRINGS ${STANDIN_CONFIG} settings REGEX "^CONFIG_.*=y$")
foreach(setting ${settings})
    string(REGEX REPLACE "=y$" "" setting ${setting})
    set(${setting} y)
endforeach()

get_filename_component(standin ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
add_library(zephyr_interface INTERFACE)
target_include_directories(zephyr_interface INTERFACE ${standin}/include)
# What Zephyr defines for every module: none of its names may mean something else to us.
target_compile_definitions(zephyr_interface INTERFACE
    KERNEL __ZEPHYR__=1 $<$<COMPILE_LANGUAGE:ASM>:_ASMLANGUAGE>)
target_compile_options(zephyr_interface INTERFACE -O2) # of CONFIG_SPEED_OPTIMIZATIONS
set(BOARD standin)
add_executable(app ${standin}/core.c)
target_link_libraries(app PRIVATE zephyr_interface)

macro(zephyr_library)
    get_filename_component(ZEPHYR_CURRENT_LIBRARY ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    add_library(${ZEPHYR_CURRENT_LIBRARY} STATIC)
    target_link_libraries(${ZEPHYR_CURRENT_LIBRARY} PRIVATE zephyr_interface)
    target_link_libraries(app PRIVATE ${ZEPHYR_CURRENT_LIBRARY})
endmacro()

function(zephyr_library_sources)
    target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

function(zephyr_library_compile_options)
    target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()

function(zephyr_include_directories)
    foreach(folder ${ARGV})
        target_include_directories(zephyr_interface INTERFACE
            ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
    endforeach()
endfunction()

# Versions up to 3.3 read the one name, later ones the other.
if(NOT "${EXTRA_ZEPHYR_MODULES}" STREQUAL "${ZEPHYR_EXTRA_MODULES}")
    message(FATAL_ERROR "not the same modules for all versions of Zephyr")
endif()

# A model before the runtime: the order in which archives are linked.
list(REVERSE EXTRA_ZEPHYR_MODULES)
foreach(module ${EXTRA_ZEPHYR_MODULES})
    get_filename_component(name ${module} NAME)
    add_subdirectory(${module} modules/${name})
endforeach()
