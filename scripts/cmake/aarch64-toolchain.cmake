# Compiles for aarch64 on another machine, with Debian's cross compiler, and runs what it made under qemu:
#   cmake --toolchain scripts/cmake/aarch64-toolchain.cmake -D LABELPROBE_AARCH64=folder
# The folder is of scripts/check_aarch64.sh: sysroot/ has packages of the distribution for arm64, libtorch lies beside.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LABELPROBE_AARCH64)

set(CMAKE_SYSROOT "${LABELPROBE_AARCH64}/sysroot")
find_program(LABELPROBE_QEMU qemu-aarch64 REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR "${LABELPROBE_QEMU}" -L "${CMAKE_SYSROOT}")
# Programs are the host's. Libraries and headers never are.
set(CMAKE_FIND_ROOT_PATH "${LABELPROBE_AARCH64}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
