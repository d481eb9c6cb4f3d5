# libtorch as the imported target labelprobe_torch: read by the build and by the installed package.
# Takes the wheel's or archive's include/ and lib/ without its CMake package, which asks for a CUDA toolkit wherever the
# wheel was built for CUDA. CUDA itself is loaded by the program at run time.
#   LABELPROBE_TORCH_HINT  a folder to try last
set(torch_hints "")
file(TO_CMAKE_PATH "$ENV{CMAKE_PREFIX_PATH}" torch_environment)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH torch_environment)
  list(APPEND torch_hints "${prefix}" "${prefix}/../.." "${prefix}/torch")  # root, share/cmake, site-packages
endforeach()
list(APPEND torch_hints ${LABELPROBE_TORCH_HINT})
find_path(LABELPROBE_TORCH_INCLUDE ATen/ATen.h HINTS ${torch_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(LABELPROBE_TORCH_CPU torch_cpu HINTS ${torch_hints} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(LABELPROBE_TORCH_C10 c10 HINTS ${torch_hints} PATH_SUFFIXES lib NO_DEFAULT_PATH)
if(NOT LABELPROBE_TORCH_INCLUDE OR NOT LABELPROBE_TORCH_CPU OR NOT LABELPROBE_TORCH_C10)
  message(FATAL_ERROR "libtorch not found below CMAKE_PREFIX_PATH ('${CMAKE_PREFIX_PATH}'). Expected a folder with "
    "include/ATen/ATen.h and lib/libtorch_cpu.so: run scripts/setup.sh, which installs one below build/, or set "
    "-DCMAKE_PREFIX_PATH=\"$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')\".")
endif()
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(EXISTS "${LABELPROBE_TORCH_INCLUDE}/${header}")
    file(STRINGS "${LABELPROBE_TORCH_INCLUDE}/${header}" torch_version_line REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE "[^0-9;]" "" torch_version "${torch_version_line}")
    string(REPLACE ";" "." torch_version "${torch_version}")
    break()
  endif()
endforeach()
# Older headers lack at::getDeviceAllocator().
if(NOT torch_version OR torch_version VERSION_LESS 2.9)
  message(FATAL_ERROR "libtorch at ${LABELPROBE_TORCH_INCLUDE} is version '${torch_version}'; 2.9 or newer is needed")
endif()
file(STRINGS "${LABELPROBE_TORCH_C10}" torch_cxx11_symbols REGEX "_ZN3c105ErrorC[12].*__cxx11" LIMIT_COUNT 1)
if(NOT torch_cxx11_symbols)
  message(FATAL_ERROR "libtorch at ${LABELPROBE_TORCH_C10} was built with the old C++ string ABI; a build with the "
    "C++11 ABI is needed, such as every published wheel has")
endif()
get_filename_component(LABELPROBE_TORCH_LIB_DIR "${LABELPROBE_TORCH_CPU}" DIRECTORY)
message(STATUS "libtorch ${torch_version}: ${LABELPROBE_TORCH_LIB_DIR}")
add_library(labelprobe_torch INTERFACE IMPORTED)
# libtorch brings headers of other projects along, an own fmt among them: they come after those of the distribution.
foreach(folder "${LABELPROBE_TORCH_INCLUDE}" "${LABELPROBE_TORCH_INCLUDE}/torch/csrc/api/include")
  target_compile_options(labelprobe_torch INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter ${folder}>"
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-isystem ${folder}>")
endforeach()
# An old-style RPATH serves the libraries' own dependencies too (libgomp beside torch's).
target_link_libraries(labelprobe_torch INTERFACE "${LABELPROBE_TORCH_CPU}" "${LABELPROBE_TORCH_C10}")
target_link_options(labelprobe_torch INTERFACE "LINKER:--disable-new-dtags")
# at::parallel_for() is a header: it runs on one core unless our code too is compiled for OpenMP, and shares libtorch's
# threads only if it calls the very library that libtorch calls. Compilers with another OpenMP library do without.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  file(GLOB torch_openmp "${LABELPROBE_TORCH_LIB_DIR}/libgomp*.so*")
  list(LENGTH torch_openmp n_torch_openmp)
  if(n_torch_openmp EQUAL 1)
    target_link_libraries(labelprobe_torch INTERFACE "${torch_openmp}")
  else()
    target_link_libraries(labelprobe_torch INTERFACE gomp)
  endif()
  target_compile_options(labelprobe_torch INTERFACE -fopenmp)
endif()
