#include "labelprobe/files/yaml.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

namespace {

// Every question that a reader may ask of a value; of a document with aliases not of all of them.
void walk(const files::YamlView& view, int& n_left) {
  if (--n_left < 0) return;
  keep(view.shown().size() + view.place().size());
  view.boolean();
  view.integer();
  view.number();
  view.float32();
  view.find("a");
  if (view.is_list()) {
    for (const files::YamlView& item : view.items()) walk(item, n_left);
  }
  if (view.is_map()) {
    for (const auto& [key, value] : view.members()) {
      walk(key, n_left);
      walk(value, n_left);
    }
  }
}

}  // namespace

void yaml(std::string_view input) {
  int n_left = 1000;
  walk(files::parse_yaml(input, {"a"}), n_left);
}

}  // namespace labelprobe::fuzz
