include(${CMAKE_CURRENT_LIST_DIR}/edgesq-targets.cmake)
