// labelprobe prompts: the prompts of a run, one JSON object a line, without a model.
#include <array>
#include <fstream>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/preparation.h"

#include "app/commands/command.h"
#include "app/commands/sentence_encoding.h"
#include "app/options/grid.h"
#include "app/options/option_reader.h"
#include "app/options/run_settings.h"

namespace labelprobe::app {

namespace {

experiment::Program parse_program(const std::string& name) {
  if (name == "run") {
    return experiment::Program::Distribution;
  }
  if (name == "classify") {
    return experiment::Program::Plain;
  }
  if (name == "assess") {
    return experiment::Program::Pair;
  }
  const std::string known[] = {"run", "classify", "assess"};
  throw ConfigError("--program: " + unknown_choice("program", name, known));
}

// Options of the other programs, were they taken in silence, would seem to have no effect.
void check_program(experiment::Program program, const Options& options) {
  for (const OptionInfo& option : run_options()) {
    if (!options.has(option.name) || !options.is_set(option.name)) {
      continue;
    }
    const bool is_flag = options.place(option.name) == flag_of(option.name);
    if (is_flag && option.group == kDistributionGroup &&
        program != experiment::Program::Distribution) {
      throw ConfigError(flag_of(option.name) + " belongs to --program run");
    }
    if (is_flag && option.group == kPairGroup && program != experiment::Program::Pair) {
      throw ConfigError(flag_of(option.name) + " belongs to --program assess");
    }
  }
}

// One line a query; `setting` names the setting of a grid, "" if there is only one.
void write_prompts(const experiment::Questions& questions,
                   const std::string& setting,
                   std::ostream& out) {
  for (const prompt::Query& query : questions.queries) {
    nlohmann::ordered_json line = {{"id", query.item.id()}};
    if (query.messages.empty()) {
      line["text"] = query.text;
    }
    for (const prompt::Message& message : query.messages) {
      line["messages"].push_back(
          {{"role", prompt::role_name(message.role)}, {"content", message.content}});
    }
    line["demos"] = query.demonstration_ids;
    if (!query.checked_label.empty()) {
      line["checked_label"] = query.checked_label;
    }
    if (!setting.empty()) {
      line["setting"] = setting;
    }
    out << line.dump() << '\n';
  }
  out.flush();
}

struct Arguments {
  std::string task;
  std::string program = "run";
  std::string out = "-";
  OptionReader reader;
};

int run(const Arguments& arguments) {
  const experiment::Program program = parse_program(arguments.program);
  const std::vector<Options> all = arguments.reader.read();
  const std::vector<std::string> differences = describe_differences(all);
  std::ofstream file;
  const bool is_stdout = arguments.out == "-";
  std::size_t n_prompts = 0;
  Workbench workbench;
  for (std::size_t i = 0; i < all.size(); ++i) {
    check_program(program, all[i]);
    experiment::Settings settings = make_settings(program, arguments.task, all[i]);
    add_sentence_encoder(all[i], workbench, settings);
    if (settings.labels.same_length) {
      throw ConfigError(all[i].place("label_same_length") +
                        ": label_same_length counts tokens, which needs a model; labelprobe "
                        "prompts has none");
    }
    const experiment::Questions questions = experiment::make_questions(settings);
    for (const std::string& warning : questions.warnings) {
      std::cerr << "warning: " << warning << '\n';
    }
    if (!is_stdout && !file.is_open()) {
      file.open(arguments.out, std::ios::binary);
    }
    write_prompts(questions, differences[i], is_stdout ? std::cout : file);
    n_prompts += questions.queries.size();
  }
  if (is_stdout) {
    return std::cout ? kSuccess : kDataError;
  }
  if (!file) {
    throw ConfigError(arguments.out + ": cannot be written");
  }
  std::cerr << n_prompts << " prompts written to " << arguments.out << '\n';
  return kSuccess;
}

}  // namespace

CommandBody declare_prompts(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("TASK", arguments->task, "Data set (see: labelprobe ls datasets)")->required();
  app.add_option("--program", arguments->program,
                 "Whose prompts: those of labelprobe run, classify or assess")
      ->capture_default_str();
  app.add_option("--out", arguments->out, "File to write; - = standard output")
      ->capture_default_str();
  arguments->reader.declare(app,
                            std::array{kDataGroup, kPromptGroup, kDistributionGroup, kPairGroup});
  return [arguments] { return run(*arguments); };
}

}  // namespace labelprobe::app
