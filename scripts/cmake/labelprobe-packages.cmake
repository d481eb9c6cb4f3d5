# The packages of the distribution that the libraries link to: read by the build and by the installed package.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
if(TARGET yaml-cpp::yaml-cpp)
  set(LABELPROBE_YAML_CPP yaml-cpp::yaml-cpp)
else()
  set(LABELPROBE_YAML_CPP yaml-cpp)  # yaml-cpp 0.7
endif()

# labelprobe_package(NAME HEADER LIBRARY): the imported target labelprobe_NAME, for packages without a CMake package.
# Not through pkg-config: where sentencepiece was built against protobuf, its .pc file asks for protobuf's headers.
macro(labelprobe_package name header library)
  find_path(LABELPROBE_${name}_INCLUDE ${header} REQUIRED)
  find_library(LABELPROBE_${name}_LIBRARY ${library} REQUIRED)
  add_library(labelprobe_${name} INTERFACE IMPORTED)
  target_include_directories(labelprobe_${name} SYSTEM INTERFACE "${LABELPROBE_${name}_INCLUDE}")
  target_link_libraries(labelprobe_${name} INTERFACE "${LABELPROBE_${name}_LIBRARY}")
endmacro()
labelprobe_package(libcsv csv.h csv)
labelprobe_package(libyaml yaml.h yaml)
labelprobe_package(libzip zip.h zip)
labelprobe_package(pcre2 pcre2.h pcre2-8)
labelprobe_package(pugixml pugixml.hpp pugixml)
labelprobe_package(sentencepiece sentencepiece_processor.h sentencepiece)
labelprobe_package(utf8proc utf8proc.h utf8proc)
labelprobe_package(xxhash xxhash.h xxhash)
