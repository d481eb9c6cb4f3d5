// How a filter is called, and the table of those that make or take lists.
#pragma once

#include <span>
#include <string_view>

#include "prompt/jinja/runtime.h"

namespace labelprobe::prompt::jinja {

struct FilterCall {
  const Value& value;
  const Arguments& arguments;
  const Given& given;  // the arguments
  Runtime& runtime;
};

struct FilterRow {
  std::string_view name;
  Value (*run)(const FilterCall&);
};

std::span<const FilterRow> list_filters();

}  // namespace labelprobe::prompt::jinja
