# Read by ctest itself, so that no list grows stale: one entry per test file and tier. What a test case is tagged with says to
# which tier it belongs: [golden], [e2e], [device] or [gpu]; all others are unit tests.
#   program  a Catch2 program                 sources  its test files
#   tests    the folder they are named from   folder   where the program runs
#   emulator what runs it, where it was compiled for another processor
function(add_entry name tier filter)
  # Catch2 3 fails of itself where a filter finds nothing, Catch2 2 says it. Programs side by side share the cores: threads of
  # OpenMP that wait for work by spinning would take ten times as long.
  add_test(${name} ${emulator} "${program}" --filenames-as-tags "${filter}")
  set(timeout 300)
  set(cost 1)
  if(tier STREQUAL device)
    set(timeout 1200)  # a GPU of one thread
    set(cost 100)      # the longest ones begin first, so that none is alone at the end
  endif()
  if(emulator)
    math(EXPR timeout "${timeout} * 20")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${tier} WORKING_DIRECTORY "${folder}" TIMEOUT ${timeout} COST ${cost}
    ENVIRONMENT OMP_WAIT_POLICY=passive
    FAIL_REGULAR_EXPRESSION "No test cases matched")
endfunction()

foreach(source IN LISTS sources)
  get_filename_component(file "${source}" NAME_WE)
  file(RELATIVE_PATH name "${tests}" "${source}")
  string(REGEX REPLACE "_test\\.cpp$" "" name "${name}")
  string(REPLACE "/" "." name "${name}")
  file(STRINGS "${source}" cases REGEX "^(TEMPLATE_)?TEST_CASE\\(")
  list(LENGTH cases n_unit)
  set(n_all ${n_unit})
  set(unit "[#${file}]")
  foreach(tier golden e2e device gpu)
    file(STRINGS "${source}" tagged REGEX "\\[${tier}\\]")
    list(LENGTH tagged n)
    if(n EQUAL 0)
      continue()
    endif()
    math(EXPR n_unit "${n_unit} - ${n}")
    string(APPEND unit "~[${tier}]")
    set(suffix ".${tier}")
    if(n EQUAL n_all)
      set(suffix "")
    endif()
    add_entry(${name}${suffix} ${tier} "[#${file}][${tier}]")
  endforeach()
  if(NOT n_unit EQUAL 0)
    add_entry(${name} unit "${unit}")
  endif()
endforeach()
