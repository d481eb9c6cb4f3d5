#include "labelprobe/files/json.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

namespace {

// Every question that a reader may ask of a value.
void walk(const files::JsonView& view) {
  attempt([&] { view.integer(-5, 1'000'000); });
  attempt([&] { view.number(); });
  attempt([&] { view.string(); });
  attempt([&] { view.boolean_or("a", true); });
  if (view.value().is_array()) {
    for (const files::JsonView& item : view.items()) walk(item);
  }
  if (view.value().is_object()) {
    for (const auto& [key, value] : view.members()) walk(value);
  }
}

}  // namespace

void json(std::string_view input) {
  const auto parts = parts_of(input, 2);
  files::parse_json_in_order(*parts[0], {"a"});
  walk(files::parse_json(*parts[0], {"a"}));
  files::for_each_json_line(parts[1].value_or(*parts[0]), "a", walk);
}

}  // namespace labelprobe::fuzz
