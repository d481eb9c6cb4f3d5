#include "labelprobe/experiment/tables.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

namespace fs = std::filesystem;

// A data set as the paper's pipelines run it.
struct TableSet {
  std::string_view task;
  std::vector<std::string_view> folders;  // that its data may have below the data root
  std::string_view mark;                  // a file or folder in it by which it is known
  // A flag whose file lies there too.
  std::string_view file_flag = "";
  std::string_view file_name = "";
};

const std::vector<TableSet>& sets() {
  static const std::vector<TableSet> all = {
      {"GoEmotions",
       {"goemotions", "GoEmotions"},
       "emotions.txt",
       "--emotion-clustering-json",
       "emotion_clustering.json"},
      {"MFRC", {"mfrc", "MFRC"}, "splits.yaml"},
      {"SemEval", {"semeval2018task1", "SemEval", "semeval"}, "English/E-c"},
      {"Hatexplain", {"HateXplain", "Hatexplain", "hatexplain"}, "post_id_divisions.json"},
      {"MSPPodcast", {"MSP-Podcast-1.11", "MSP-Podcast", "MSPPodcast"}, "transcripts.csv"},
      {"Boxes", {"boxes", "Boxes"}, "few_shot_boxes_nso_exp2_max3"},
  };
  return all;
}

const TableSet& find_set(std::string_view task) {
  const auto found =
      std::find_if(sets().begin(), sets().end(), [&](const auto& set) { return set.task == task; });
  LABELPROBE_CHECK(found != sets().end());
  return *found;
}

// "a, b" of the folder's lists; "none".
std::string lists_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code ignored;  // a folder that is not there has none
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".txt") names.insert(entry.path().stem().string());
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

fs::path data_folder(const TableSet& set, const fs::path& data_root) {
  for (const std::string_view name : set.folders) {
    if (fs::exists(data_root / name / set.mark)) {
      return data_root / name;
    }
  }
  throw ConfigError(
      fmt::format("no data of {}: expected {} in one of the folders {} below {} (--data-root); "
                  "scripts/get_data.sh gets the public sets and says where to ask for the others",
                  set.task, set.mark, fmt::join(set.folders, ", "), data_root.string()));
}

bool says_how_weights_are_kept(const std::vector<std::string>& flags) {
  return std::any_of(flags.begin(), flags.end(), [](std::string flag) {
    std::replace(flag.begin(), flag.end(), '_', '-');
    return flag == "--quant" || flag.starts_with("--quant=") || flag.starts_with("--load-in-4") ||
           flag.starts_with("--load-in-8");
  });
}

}  // namespace

std::span<const Table> tables() {
  static const std::vector<std::string_view> of_paper = {"GoEmotions", "MFRC", "Hatexplain",
                                                         "MSPPodcast"};
  static const std::array all = {
      Table{"table1",
            "Alignment of Llama3 70B: baseline, unary and binary on four data sets",
            of_paper,
            {"baseline", "unary", "binary"},
            "table1"},
      Table{"table5",
            "Alignment of Llama3 8B: the same cells",
            of_paper,
            {"baseline", "unary", "binary"},
            "table5"},
      Table{"pipelines",
            "Every run of the published pipelines",
            {"GoEmotions", "MFRC", "SemEval", "Hatexplain", "MSPPodcast"},
            {"baseline", "unary", "binary", "multilabel_ICL"},
            ""},
  };
  return all;
}

const Table& find_table(std::string_view name) {
  std::vector<std::string> known;
  for (const Table& table : tables()) {
    if (table.name == name) {
      return table;
    }
    known.emplace_back(table.name);
  }
  throw ConfigError(unknown_choice("table", name, known));
}

std::vector<Cell> choose_cells(const Table& table, std::span<const std::string> asked) {
  std::vector<Cell> all;
  std::vector<std::string> known;
  for (const std::string_view task : table.tasks) {
    known.emplace_back(task);
    for (const std::string_view distribution : table.distributions) {
      all.push_back({std::string(task), std::string(distribution)});
    }
  }
  known.insert(known.end(), table.distributions.begin(), table.distributions.end());
  for (const Cell& cell : all) {
    known.push_back(cell.name());
  }
  for (const std::string& name : asked) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError("--cells: " + unknown_choice("cell", name, known));
    }
  }
  const auto is_asked = [&](const Cell& cell) {
    return asked.empty() || std::any_of(asked.begin(), asked.end(), [&](const std::string& name) {
             return name == cell.task || name == cell.distribution || name == cell.name();
           });
  };
  std::vector<Cell> cells;
  std::copy_if(all.begin(), all.end(), std::back_inserter(cells), is_asked);
  return cells;
}

IdList find_id_list(const std::string& task, const CellOptions& options) {
  const fs::path folder = options.id_root / task;
  const auto in_folder = [&](std::string_view name) {
    return IdList{std::string(name), folder / (std::string(name) + ".txt")};
  };
  if (options.id_list == kNoList) return {"all_examples", {}};
  if (options.id_list) {
    const std::string& given = *options.id_list;
    const bool is_path = given.find('/') != std::string::npos || given.ends_with(".txt");
    const fs::path name = fs::path(given).filename();
    const IdList list =
        is_path ? IdList{(name.extension() == ".txt" ? name.stem() : name).string(), given}
                : in_folder(given);
    if (fs::is_regular_file(list.file)) return list;
    throw ConfigError(fmt::format(
        "no id list {}: expected the name of a list in {}, or the path of one (there are: {})",
        list.file.string(), folder.string(), lists_in(folder)));
  }
  for (const std::string_view name : kUsualLists) {
    const IdList list = in_folder(name);
    if (fs::is_regular_file(list.file)) return list;
  }
  throw ConfigError(
      fmt::format("no id list of {}: expected {}.txt in {} (there are: {}); scripts/get_ids.sh "
                  "gets the published "
                  "lists, labelprobe ids draws one by the paper's rule",
                  task, fmt::join(kUsualLists, ".txt or "), folder.string(), lists_in(folder)));
}

std::vector<std::string> root_arguments(const std::string& task, const CellOptions& options) {
  const TableSet& set = find_set(task);
  const fs::path data = data_folder(set, options.data_root);
  std::vector<std::string> arguments = {"--root-dir", data.string()};
  if (!set.file_flag.empty()) {
    arguments.insert(arguments.end(),
                     {std::string(set.file_flag), (data / set.file_name).string()});
  }
  return arguments;
}

std::vector<std::string> data_arguments(const std::string& task, const CellOptions& options) {
  std::vector<std::string> arguments = {"--config",
                                        (options.config_root / task / "pipeline.yaml").string()};
  const std::vector<std::string> roots = root_arguments(task, options);
  arguments.insert(arguments.end(), roots.begin(), roots.end());
  const IdList list = find_id_list(task, options);
  if (!list.file.empty()) {
    arguments.insert(arguments.end(), {"--test-ids-filename", list.file.string()});
  }
  return arguments;
}

std::vector<std::string> common_arguments(const CellOptions& options,
                                          const std::optional<std::int64_t>& limit) {
  std::vector<std::string> arguments = {"--model-name-or-path",
                                        options.model,
                                        "--device",
                                        options.device,
                                        "--seed",
                                        options.seed,
                                        "--log-root",
                                        options.log_root.string(),
                                        "--accelerate",
                                        "--logging-level",
                                        "debug"};
  if (!says_how_weights_are_kept(options.flags)) arguments.emplace_back("--load-in-4bit");
  if (limit) arguments.insert(arguments.end(), {"--limit", std::to_string(*limit)});
  if (!options.flags.empty()) {  // in a group, as that counts more than what stands outside of it
    arguments.emplace_back("{");
    arguments.insert(arguments.end(), options.flags.begin(), options.flags.end());
    arguments.emplace_back("}");
  }
  return arguments;
}

std::vector<std::string> run_arguments(const Cell& cell, const CellOptions& options) {
  std::vector<std::string> arguments = {"run", cell.task};
  const auto add = [&](const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  };
  add(data_arguments(cell.task, options));
  add({"--distribution", cell.distribution, "--alternative-experiment-name",
       find_id_list(cell.task, options).name + "/{distribution}/{model_name_or_path}"});
  if (cell.task != "GoEmotions") {
    add({"--trust-remote-code"});  // as published; it changes nothing
  }
  add(common_arguments(options, options.limit));
  return arguments;
}

}  // namespace labelprobe::experiment
