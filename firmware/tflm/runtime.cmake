# TensorFlow Lite Micro in place of edgesq's runtime. tflm.cmake sets TFLM_DIR, a tree with its
# library built, and TFLM_CPU, the core as in the library's path. Without: for this computer, as a
# library that the interpreter's Python loads.
include(tflm.cmake OPTIONAL)
target_include_directories(edgesq PRIVATE tflm)
target_sources(edgesq PRIVATE tflm/engine.c model_tflite.c)
if(NOT TFLM_DIR)
    target_sources(edgesq PRIVATE tflm/host.c)
    target_compile_options(edgesq PRIVATE -fPIC)
    target_link_options(edgesq PRIVATE -shared)
    return()
endif()

file(GLOB libraries "${TFLM_DIR}/gen/*_${TFLM_CPU}_*/lib/libtensorflow-microlite.a")
if(NOT libraries)
    message(FATAL_ERROR
        "error: no gen/*_${TFLM_CPU}_*/lib/libtensorflow-microlite.a in ${TFLM_DIR}: "
        "make -f tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic "
        "TARGET_ARCH=${TFLM_CPU} OPTIMIZED_KERNEL_DIR=cmsis_nn microlite")
endif()
list(GET libraries 0 library)
set(downloads "${TFLM_DIR}/tensorflow/lite/micro/tools/make/downloads")

string(REGEX REPLACE "gcc$" "g++" CMAKE_CXX_COMPILER "${CMAKE_C_COMPILER}")
enable_language(CXX)
target_sources(edgesq PRIVATE tflm/tflm.cc)
set_target_properties(edgesq PROPERTIES CXX_STANDARD 17 CXX_EXTENSIONS OFF LINKER_LANGUAGE CXX)
set_source_files_properties(tflm/tflm.cc PROPERTIES COMPILE_OPTIONS
    "-O2;-fno-rtti;-fno-exceptions;-fno-threadsafe-statics")
target_compile_definitions(edgesq PRIVATE TF_LITE_STATIC_MEMORY TF_LITE_STRIP_ERROR_STRINGS)
target_include_directories(edgesq SYSTEM PRIVATE "${TFLM_DIR}" "${downloads}/flatbuffers/include"
    "${downloads}/gemmlowp" "${downloads}/ruy")
target_link_options(edgesq PRIVATE --specs=nano.specs --specs=nosys.specs)
target_link_libraries(edgesq PRIVATE "${library}" m)
