// labelprobe data: what a run would see of a data set, without a model.
#include <fstream>
#include <iostream>
#include <memory>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"
#include "app/commands/role_data.h"
#include "app/options/data_options.h"
#include "app/options/run_settings.h"

namespace labelprobe::app {

namespace {

struct DataFlags {
  std::string task;
  int n_shown = 0;
  std::string out_path;
  bool is_json = false;
  DataOptions options;
};

std::vector<RoleData> load_roles(const DataFlags& flags, const Options& options) {
  data::dataset_info(flags.task);  // an unknown name is the first thing to say
  std::vector<RoleData> roles;
  for (const std::string role : {"train", "test"}) {
    data::DatasetOptions dataset = make_dataset_options(options, role);
    if (!dataset.splits.empty()) {
      roles.push_back(load_role(flags.task, role, std::move(dataset)));
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
  std::ofstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
  }
  std::ostream& out = path == "-" ? std::cout : file;
  for (const RoleData& data : roles) {
    for (const Example& example : data.dataset.examples) {
      nlohmann::ordered_json line = describe_item(example, data.dataset.label_set);
      if (roles.size() > 1) {
        line["role"] = data.role;
      }
      out << line.dump() << '\n';
    }
  }
  if (!out.flush()) {
    throw ConfigError("--out: " + path + " cannot be written");
  }
}

int show_data(const DataFlags& flags, const Options& options) {
  if (flags.n_shown < 0) {
    throw ConfigError("--show: expected a number of items, at least 0, found " +
                      std::to_string(flags.n_shown));
  }
  const std::vector<RoleData> roles = load_roles(flags, options);
  const auto n_shown = static_cast<std::size_t>(flags.n_shown);
  if (!flags.out_path.empty()) {
    write_items(flags.out_path, roles);
  }
  // Standard output holds one thing only.
  std::ostream& out = flags.out_path == "-" ? std::cerr : std::cout;
  if (flags.is_json) {
    nlohmann::ordered_json json = {{"task", flags.task},
                                   {"roles", nlohmann::ordered_json::array()}};
    for (const RoleData& data : roles) {
      json["roles"].push_back(describe_role(data, n_shown));
    }
    out << json.dump(2) << '\n';
    return kSuccess;
  }
  for (std::size_t i = 0; i < roles.size(); ++i) {
    out << (i > 0 ? "\n" : "");
    print_role(out, roles[i], n_shown);
  }
  return kSuccess;
}

}  // namespace

CommandBody declare_data(CLI::App& app) {
  const auto flags = std::make_shared<DataFlags>();
  app.add_option("TASK", flags->task, "Data set (see: labelprobe ls datasets)")->required();
  app.add_option("--show", flags->n_shown, "Print the first N items of each role, too")
      ->type_name("N");
  app.add_option(
         "--out", flags->out_path,
         "Write every item as a JSON line: id, text, labels, annotator; - = standard output")
      ->type_name("FILE");
  app.add_flag("--json", flags->is_json, "Print one JSON object instead of tables");
  flags->options.declare(app);
  return [flags] { return show_data(*flags, flags->options.read()); };
}

}  // namespace labelprobe::app
