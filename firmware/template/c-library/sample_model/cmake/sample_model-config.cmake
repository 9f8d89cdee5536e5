include(CMakeFindDependencyMacro)
find_dependency(edgesq 0.0.0 EXACT)
include(${CMAKE_CURRENT_LIST_DIR}/sample_model-targets.cmake)
