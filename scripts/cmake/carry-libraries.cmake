# Copies the shared libraries that PROGRAM needs into FOLDER, but for libtorch (in TORCH) and what every system has.
cmake_minimum_required(VERSION 3.25)
# The program looks there first.
file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${FOLDER}")
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${PROGRAM}" RESOLVED_DEPENDENCIES_VAR libraries UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^lib(torch|c10|gomp|cud|cupti|nv).*\\.so" "^lib(stdc\\+\\+|gcc_s|c|m|dl|rt|pthread|util)\\.so" "^ld-linux"
  POST_EXCLUDE_REGEXES "^${TORCH}/")
foreach(library IN LISTS libraries)
  file(COPY "${library}" DESTINATION "${FOLDER}" FOLLOW_SYMLINK_CHAIN)
endforeach()
