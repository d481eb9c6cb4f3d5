// labelprobe data: what a run would see of a data set, without a model.
#include <iostream>
#include <memory>

#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/role_data.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct DataFlags {
  std::string task;
  DataSettings data;
  std::size_t n_shown = 0;
  std::string out_path;
  bool is_json = false;
};

std::vector<RoleData> load_roles(const DataFlags& flags) {
  std::vector<RoleData> roles;
  for (const auto& [role, options] :
       {std::pair{"train", flags.data.train}, {"test", flags.data.test}}) {
    if (!options.splits.empty()) {
      roles.push_back(load_role(flags.task, role, options));
    }
  }
  if (roles.empty()) {
    throw ConfigError(flags.task +
                      ": expected --train-splits, --test-splits or a --config with them, found "
                      "neither");
  }
  return roles;
}

// Lines of several roles say whose they are.
void write_items(const std::string& path, const std::vector<RoleData>& roles) {
  files::OutputFile file(path);
  for (const RoleData& data : roles) {
    for (const Example& example : data.dataset.examples) {
      nlohmann::ordered_json line = describe_item(example, data.dataset.label_set);
      if (roles.size() > 1) {
        line["role"] = data.role;
      }
      file.stream() << line.dump() << '\n';
    }
  }
  file.finish();
}

int show_data(const DataFlags& flags) {
  const std::vector<RoleData> roles = load_roles(flags);
  if (!flags.out_path.empty()) {
    write_items(flags.out_path, roles);
  }
  // Standard output holds one thing only.
  std::ostream& out = flags.out_path == "-" ? std::cerr : std::cout;
  if (flags.is_json) {
    nlohmann::ordered_json json = {{"task", flags.task},
                                   {"roles", nlohmann::ordered_json::array()}};
    for (const RoleData& data : roles) {
      json["roles"].push_back(describe_role(data, flags.n_shown));
    }
    out << json.dump(2) << '\n';
    return kSuccess;
  }
  for (std::size_t i = 0; i < roles.size(); ++i) {
    out << (i > 0 ? "\n" : "");
    print_role(out, roles[i], flags.n_shown);
  }
  return kSuccess;
}

void declare_flags(OptionList& options, DataFlags& flags) {
  declare_task(options, flags.task);
  options.begin_group("Output");
  options.add(flags.n_shown, {.name = "show",
                              .help = "Print the first N items of each role, too",
                              .shown = Shown::First,
                              .least = 0});
  options.add(flags.out_path, {.name = "out",
                               .help = "Write every item as a JSON line: id, text, labels, "
                                       "annotator; - = standard output",
                               .shown = Shown::First,
                               .value = "FILE"});
  options.add(flags.is_json, {.name = "print_json",
                              .help = "Print one JSON object instead of tables",
                              .shown = Shown::First,
                              .flag = "json"});
  declare_data(options, flags.data);
}

}  // namespace

Command data_command() {
  return make_command<DataFlags>(
      {CommandGroup::Look, "data",
       "Show what a run would see of a data set: counts, labels, annotators, examples",
       "labelprobe data GoEmotions --config configs/example/config.yaml --show 2"},
      declare_flags, show_data);
}

}  // namespace labelprobe::app
