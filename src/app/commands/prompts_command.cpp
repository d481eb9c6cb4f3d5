// labelprobe prompts: the prompts of a run, one JSON object a line, without a model.
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/preparation.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/run_listener.h"
#include "app/options/grid.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct Arguments {
  experiment::Settings settings;
  SentenceEncoderSettings encoder;
  std::string out;
};

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
  throw ConfigError(unknown_choice("program", name, known));
}

// Flags of the other programs, were they taken in silence, would seem to have no effect. Files
// serve all programs.
void finish_program(const OptionList& options, experiment::Settings& settings) {
  const auto refuse = [&](const auto& field, std::string_view program) {
    if (options.is_given_as_flag(field)) {
      throw ConfigError(options.place(field) + " belongs to --program " + std::string(program));
    }
  };
  const prompt::PairOptions& pair = settings.pair;
  if (settings.program != experiment::Program::Pair) {
    refuse(pair.query_label, "assess");
    refuse(pair.unreasonable_labels, "assess");
    refuse(pair.unreasonable_rate, "assess");
    refuse(pair.yes_no, "assess");
  }
  if (settings.program != experiment::Program::Distribution) {
    refuse(settings.plan, "run");
    settings.plan =
        settings.program == experiment::Program::Pair ? prompt::Plan::Pair : prompt::Plan::Baseline;
  }
  if (settings.labels.same_length) {
    throw ConfigError(options.place(settings.labels.same_length) +
                      ": label_same_length counts tokens, which needs a model; labelprobe prompts "
                      "has none");
  }
}

void declare_arguments(OptionList& options, Arguments& arguments) {
  options.begin_group("Output");
  options.add_parsed(arguments.settings.program,
                     {.name = "program",
                      .help = "Whose prompts: those of labelprobe run, classify or assess",
                      .fallback = "run",
                      .shown = Shown::First,
                      .value = "COMMAND",
                      .choices = {"run", "classify", "assess"},
                      .is_of_grid = true},
                     parse_program);
  options.add(arguments.out, {.name = "out",
                              .help = "File to write; - = standard output",
                              .fallback = "-",
                              .shown = Shown::First,
                              .value = "FILE",
                              .is_of_grid = true});
  declare_questions(options, arguments.settings, arguments.encoder,
                    {.has_distribution = true, .has_pairs = true});
  options.afterwards([&] { finish_program(options, arguments.settings); });
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

std::vector<std::string> name_settings(const std::vector<GridSetting<Arguments>>& settings) {
  std::vector<std::vector<record::Param>> params;
  for (const GridSetting<Arguments>& setting : settings) {
    params.push_back(setting.params);
  }
  return describe_differences(params);
}

int run(std::vector<GridSetting<Arguments>> given) {
  const std::vector<std::string> names = name_settings(given);
  const std::string out = given.front().settings.out;
  const bool is_stdout = out == "-";
  std::ofstream file;
  std::size_t n_prompts = 0;
  experiment::Workbench workbench(show_encoding);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].mistake) {
      std::rethrow_exception(given[i].mistake);
    }
    Arguments& arguments = given[i].settings;
    arguments.settings.sentence_vectors.encode =
        workbench.text_encoder(choose_encoder(arguments.encoder, {}));
    const experiment::Questions questions = experiment::make_questions(arguments.settings);
    for (const std::string& warning : questions.warnings) {
      std::cerr << "warning: " << warning << '\n';
    }
    if (!is_stdout && !file.is_open()) {
      file.open(out, std::ios::binary);
    }
    write_prompts(questions, names[i], is_stdout ? std::cout : file);
    n_prompts += questions.queries.size();
  }
  if (is_stdout) {
    return std::cout ? kSuccess : kDataError;
  }
  if (!file) {
    throw ConfigError(out + ": cannot be written");
  }
  std::cerr << n_prompts << " prompts written to " << out << '\n';
  return kSuccess;
}

}  // namespace

Command prompts_command() {
  return make_grid_command<Arguments>(
      {"prompts", "Write the prompts of a run as JSON lines, without a model",
       "labelprobe prompts GoEmotions --config configs/example/config.yaml --out -"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
