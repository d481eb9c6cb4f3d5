# Installs a finished build into an empty folder and uses it from there: the program, its data, and the libraries.
#   BUILD      the build folder
#   CONSUMER   the project to build against the installed tree
#   GENERATOR  CMake's generator for it
cmake_minimum_required(VERSION 3.25)
set(folder "${BUILD}/install-test")
file(REMOVE_RECURSE "${folder}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "exit code ${code}: ${ARGN}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_files)
  foreach(path IN LISTS ARGN)
    if(NOT EXISTS "${folder}/tree/${path}")
      message(FATAL_ERROR "not installed: ${path}")
    endif()
  endforeach()
endfunction()

run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${folder}/tree")
expect_files(bin/labelprobe share/labelprobe/configs/example/config.yaml share/labelprobe/prob_distr_ids
  share/man/man1/labelprobe.1 share/bash-completion/completions/labelprobe share/zsh/site-functions/_labelprobe)
if(EXISTS "${folder}/tree/include")
  message(FATAL_ERROR "headers were installed with the program; they belong to the component `development`")
endif()
run("${folder}/tree/bin/labelprobe" --version)

# In a folder without configs/ the installed ones are taken, with the prompts, tables and lists of ids that they name, and a line
# says so; those of the folder win.
file(MAKE_DIRECTORY "${folder}/work")
function(show_prompts expected)
  execute_process(COMMAND "${folder}/tree/bin/labelprobe" prompts ${ARGN} --limit 1 WORKING_DIRECTORY "${folder}/work"
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE notes)
  if(NOT code EQUAL 0 OR NOT output MATCHES "Input:|Message:|tweet|text" OR NOT notes MATCHES "${expected}")
    message(FATAL_ERROR "exit code ${code}: prompts ${ARGN}\n${output}\n${notes}\nexpected: ${expected}")
  endif()
endfunction()
show_prompts("not in this folder, taken from ${folder}/tree/share/labelprobe: configs/example/config.yaml, " GoEmotions
  --config configs/example/config.yaml)
show_prompts("taken from ${folder}/tree/share/labelprobe: configs/example/own/messages.yaml\n" configs/example/own/messages.yaml)
file(MAKE_DIRECTORY "${folder}/work/configs")
file(COPY "${folder}/tree/share/labelprobe/configs/example" DESTINATION "${folder}/work/configs")
show_prompts("^$" configs/example/own/messages.yaml)

run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${folder}/tree" --component development)
expect_files(include/labelprobe/core/error.h)
run(${CMAKE_COMMAND} -S "${CONSUMER}" -B "${folder}/consumer" -G "${GENERATOR}" -DCMAKE_PREFIX_PATH=${folder}/tree)
run(${CMAKE_COMMAND} --build "${folder}/consumer")
run("${folder}/consumer/consumer")
if(NOT output MATCHES "random\ncomplete\nsimilarity\nuniform\nmultilabel\n[0-9a-f]+\n")
  message(FATAL_ERROR "the consumer printed '${output}'")
endif()
