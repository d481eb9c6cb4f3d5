// labelprobe distributions: the estimates behind an alignment, item by item, for other programs.
#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "app/commands/alignment_builder.h"
#include "app/commands/command.h"
#include "app/commands/estimated_rows.h"
#include "app/commands/run_flags.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using Json = nlohmann::ordered_json;

struct DistributionFlags {
  DataSettings data;
  RunFlags runs;
  std::vector<std::string> estimators;
  std::string out_path;
  std::string votes_path;
};

enum class FileFormat { Yaml, JsonLines };

FileFormat format_of(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".yml" || ending == ".yaml") {
    return FileFormat::Yaml;
  }
  if (ending == ".jsonl") {
    return FileFormat::JsonLines;
  }
  const std::string known[] = {".yml", ".yaml", ".jsonl"};
  throw ConfigError("--out: " + path + ": " + unknown_choice("file ending", ending, known));
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The shortest decimals that read back equal, with the point that YAML 1.1 asks of numbers.
std::string yaml_number(double number) {
  char digits[64];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  std::string text(digits, end);
  if (text.find('.') == std::string::npos) {
    text.insert(std::min(text.find('e'), text.size()), ".0");
  }
  return text;
}

// The key of a row's estimates: the estimator, with the answer position where several are asked.
std::string key_of(const EstimatedRow& row, std::size_t n_answers) {
  const bool is_one_of_several = row.answer && n_answers > 1;
  return std::string(row.info->name) + (is_one_of_several ? "_" + describe(row.answer) : "");
}

void write_yaml(std::ostream& out,
                const std::vector<EstimatedRow>& rows,
                const LabelSet& label_set,
                std::size_t n_answers) {
  std::map<std::string, const EstimatedRow*> written;
  for (const EstimatedRow& row : rows) {
    const std::string key = key_of(row, n_answers);
    const auto [other, is_new] = written.emplace(key, &row);
    if (!is_new) {
      throw ConfigError("--out: expected one run of each kind in a YAML file, found " +
                        describe(*other->second->run) + " and " + describe(*row.run) +
                        "; write .jsonl, which names the run of each line");
    }
    out << quoted(key) << ":\n";
    for (const auto& [id, probs] : row.estimates.probs) {
      out << "  " << quoted(id) << ":\n";
      for (std::size_t label = 0; label < probs.size(); ++label) {
        out << "    " << quoted(label_set.names()[label]) << ": " << yaml_number(probs[label])
            << '\n';
      }
    }
  }
}

void write_line(std::ostream& out, const Json& json) {
  out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json by_label(const std::vector<double>& numbers, const LabelSet& label_set) {
  Json json = Json::object();
  for (std::size_t label = 0; label < numbers.size(); ++label) {
    json[label_set.names()[label]] = numbers[label];
  }
  return json;
}

void write_json_lines(std::ostream& out,
                      const std::vector<EstimatedRow>& rows,
                      const LabelSet& label_set) {
  for (const EstimatedRow& row : rows) {
    for (const auto& [id, probs] : row.estimates.probs) {
      write_line(out, {{"id", id},
                       {"estimator", row.info->name},
                       {"answer", row.answer ? Json(describe(row.answer)) : Json()},
                       {"run", row.run->folder.string()},
                       {"experiment", row.run->index},
                       {"probs", by_label(probs, label_set)}});
    }
  }
}

void write_votes(std::ostream& out, const VotedSet& set) {
  for (const auto& [id, votes] : set.votes) {
    write_line(out, {{"id", id},
                     {"shares", by_label(votes.shares, set.label_set)},
                     {"gold", set.label_set.names_of(votes.gold)},
                     {"n_annotators", votes.n_annotators}});
  }
}

void write_file(const std::string& path, const std::function<void(std::ostream&)>& write) {
  std::ofstream file(path, std::ios::binary);
  write(file);
  if (!file.flush()) {
    throw ConfigError(path + ": cannot be written");
  }
}

int write_distributions(const DistributionFlags& flags) {
  const FileFormat format = format_of(flags.out_path);
  const std::vector<analysis::AnswerPosition> answers = parse_answers(flags.runs.answers);
  const std::string& task = flags.runs.task;
  data::DatasetOptions of_test = flags.data.test;
  VotedSet set;
  if (!flags.votes_path.empty()) {
    set = load_votes(task, std::move(of_test));
  } else {
    of_test.annotation_mode = data::AnnotationMode::Aggregate;
    set.label_set = data::load(task, of_test).label_set;
  }
  std::vector<std::string> warnings = set.warnings;
  const std::vector<LoggedRun> runs = load_runs(
      flags.runs, flags.runs.tuned_folders.empty() ? Search::IfNoneNamed : Search::IfAsked,
      set.label_set);
  std::vector<EstimatedRow> rows =
      estimate_rows(runs, answers, set.label_set, flags.estimators, warnings);
  std::erase_if(rows, [](const EstimatedRow& row) { return row.run == nullptr; });
  print_warnings(warnings);
  write_file(flags.out_path, [&](std::ostream& out) {
    if (format == FileFormat::Yaml) {
      write_yaml(out, rows, set.label_set, answers.size());
    } else {
      write_json_lines(out, rows, set.label_set);
    }
  });
  if (!flags.votes_path.empty()) {
    write_file(flags.votes_path, [&](std::ostream& out) { write_votes(out, set); });
  }
  return kSuccess;
}

void declare_flags(OptionList& options, DistributionFlags& flags) {
  declare_run_flags(options, flags.runs);
  options.begin_group("Output");
  options.add(flags.estimators,
              {.name = "estimator",
               .help = "Only these: baseline, output, unary, binary, binary_outcome, max, "
                       "SFT_output, SFT_max, ... (default: all that the runs allow)",
               .value = "NAME"});
  options.add(flags.out_path,
              {.name = "out",
               .help = "File to write: .yml (estimator -> id -> label -> probability) or .jsonl",
               .is_required = true,
               .shown = Shown::First,
               .value = "FILE"});
  options.add(flags.votes_path, {.name = "votes",
                                 .help = "JSON lines of the annotators' votes as well",
                                 .shown = Shown::First,
                                 .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command distributions_command() {
  return make_command<DistributionFlags>(
      {"distributions", "Write the label distributions of runs item by item, and the votes",
       "labelprobe distributions GoEmotions RUN_FOLDER --config configs/GoEmotions/pipeline.yaml "
       "--out distributions.yml"},
      declare_flags, write_distributions);
}

}  // namespace labelprobe::app
