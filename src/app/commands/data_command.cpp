// labelprobe data: what a run would see of a data set, without a model.
#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/role_data.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/options/run_options.h"
#include "app/terminal/visible.h"

namespace labelprobe::app {

namespace {

struct DataFlags {
  std::string task;
  DataSettings data;
  std::size_t n_shown = 0;
  std::string out_path;
  bool is_json = false;
};

std::vector<experiment::RoleData> load_roles(const DataFlags& flags) {
  std::vector<experiment::RoleData> roles;
  for (const auto& [role, options] :
       {std::pair{"train", flags.data.train}, {"test", flags.data.test}}) {
    if (!options.splits.empty()) {
      roles.push_back(experiment::load_role(flags.task, role, options));
    }
  }
  if (roles.empty()) {
    throw ConfigError(flags.task +
                      ": expected --train-splits, --test-splits or a --config with them, found "
                      "neither");
  }
  return roles;
}

// The first items; what data or models could steer a terminal with is escaped.
void print_items(std::ostream& out, const experiment::RoleData& data, std::size_t n_shown) {
  for (std::size_t i = 0; i < std::min(n_shown, data.dataset.examples.size()); ++i) {
    const Example& example = data.dataset.examples[i];
    const std::vector<std::string> labels = data.dataset.label_set.names_of(example.labels);
    out << "\n  " << visible(example.id()) << ": "
        << (labels.empty() ? std::string(kNoneLabel) : fmt::format("{}", fmt::join(labels, ", ")))
        << '\n';
    const std::string shares = experiment::describe_shares(data, example.example_id);
    if (!shares.empty()) out << "    soft labels: " << visible(shares) << '\n';
    out << "    ";
    for (const char c : visible(example.text)) {
      out << c << (c == '\n' ? "    " : "");
    }
    out << '\n';
  }
}

// Lines of several roles say whose they are.
void write_items(const std::string& path, const std::vector<experiment::RoleData>& roles) {
  files::OutputFile file(path);
  for (const experiment::RoleData& data : roles) {
    for (const Example& example : data.dataset.examples) {
      nlohmann::ordered_json line = experiment::describe_item(example, data);
      if (roles.size() > 1) {
        line["role"] = data.role;
      }
      file.stream() << line.dump() << '\n';
    }
  }
  file.finish();
}

int show_data(const DataFlags& flags) {
  const std::vector<experiment::RoleData> roles = load_roles(flags);
  if (!flags.out_path.empty()) {
    write_items(flags.out_path, roles);
  }
  // Standard output holds one thing only.
  std::ostream& out = flags.out_path == "-" ? std::cerr : std::cout;
  if (flags.is_json) {
    nlohmann::ordered_json json = {{"task", flags.task},
                                   {"roles", nlohmann::ordered_json::array()}};
    for (const experiment::RoleData& data : roles) {
      json["roles"].push_back(experiment::describe_role(data, flags.n_shown));
    }
    out << json.dump(2) << '\n';
    return kSuccess;
  }
  for (std::size_t i = 0; i < roles.size(); ++i) {
    out << (i > 0 ? "\n" : "");
    experiment::print_role(out, roles[i]);
    print_items(out, roles[i], flags.n_shown);
  }
  return kSuccess;
}

void declare_flags(OptionList& options, DataFlags& flags) {
  declare_task(options, flags.task);
  options.begin_group("Output");
  options.add(flags.n_shown, {.name = "show",
                              .help = "Print the first N items of each role, too (default: 0; of a "
                                      "task file 2)",
                              .shown = Shown::First,
                              .least = 0});
  options.add(flags.out_path, {.name = "out",
                               .help = "Write every item as a JSON line: id, text, labels, "
                                       "annotator, shares; - = standard output",
                               .shown = Shown::First,
                               .value = "FILE"});
  options.add(flags.is_json, {.name = "print_json",
                              .help = "Print one JSON object instead of tables",
                              .shown = Shown::First,
                              .flag = "json"});
  declare_data(options, flags.data);
  // Who has written a task file wants to see that it is right: its votes, too, and some items.
  options.afterwards([&] {
    if (!data::is_task_file(flags.task)) return;
    constexpr std::size_t kEnough = 2;
    if (!options.is_given(flags.n_shown)) flags.n_shown = kEnough;
    data::DatasetOptions& train = flags.data.train;
    if (!options.is_given(train.annotation_mode) && data::task_info(flags.task).has_annotators) {
      train.annotation_mode = data::AnnotationMode::Both;
      flags.data.test.annotation_mode = data::AnnotationMode::Both;
    }
  });
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
