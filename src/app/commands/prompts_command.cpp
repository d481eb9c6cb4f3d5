// labelprobe prompts: the prompts of a run, one JSON object a line, without a model.
#include <algorithm>
#include <iostream>
#include <optional>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/commands/jobs.h"
#include "app/commands/run_listener.h"
#include "app/options/grid.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct PromptsArguments {
  std::string command;
  experiment::Settings settings;
  SentenceEncoderSettings encoder;
  std::string out;
};

// The commands whose prompts these are: run, and those with a plan of their own.
std::vector<std::string> command_names() {
  std::vector<std::string> names = {std::string(kRunName)};
  for (const experiment::Plan* plan : experiment::plans()) {
    if (!plan->is_distribution) names.emplace_back(plan->name);
  }
  return names;
}

std::string parse_command(const std::string& name) {
  const std::vector<std::string> known = command_names();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw ConfigError(unknown_choice("program", name, known));
  }
  return name;
}

// Flags of the other commands, were they taken in silence, would seem to have no effect. Files
// serve all commands.
void finish_command(const OptionList& options,
                    const std::string& command,
                    experiment::Settings& settings) {
  const auto refuse = [&](const auto& field, std::string_view owner) {
    if (options.is_given_as_flag(field)) {
      throw ConfigError(options.place(field) + " belongs to --program " + std::string(owner));
    }
  };
  if (command != kRunName) {
    refuse(settings.plan, kRunName);
    settings.plan = &experiment::find_plan(command);
  }
  if (!settings.plan->shows_labels) {
    const prompt::PairOptions& pair = settings.pair;
    refuse(pair.query_label, "assess");
    refuse(pair.unreasonable_labels, "assess");
    refuse(pair.unreasonable_rate, "assess");
    refuse(pair.yes_no, "assess");
  }
  if (!settings.chat_template_file.empty()) {
    throw ConfigError(options.place(settings.chat_template_file) +
                      ": labelprobe prompts writes the messages of chats; their text has tokens of "
                      "a model, which labelprobe run --dry-run shows");
  }
  if (settings.labels.same_length) {
    throw ConfigError(options.place(settings.labels.same_length) +
                      ": label_same_length counts tokens, which needs a model; labelprobe prompts "
                      "has none");
  }
}

void declare_arguments(OptionList& options, PromptsArguments& arguments) {
  options.begin_group("Output");
  options.add_parsed(arguments.command,
                     {.name = "program",
                      .help = "Whose prompts: those of labelprobe run, classify or assess",
                      .fallback = kRunName,
                      .shown = Shown::First,
                      .value = "COMMAND",
                      .choices = command_names(),
                      .is_of_grid = true},
                     parse_command);
  options.add(arguments.out, {.name = "out",
                              .help = "File to write; - = standard output",
                              .fallback = "-",
                              .shown = Shown::First,
                              .value = "FILE",
                              .is_of_grid = true});
  options.afterwards([&] { finish_command(options, arguments.command, arguments.settings); });
  declare_questions(options, arguments.settings, arguments.encoder,
                    {.has_distribution = true, .has_pairs = true});
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
}

std::vector<std::string> name_settings(const std::vector<GridSetting<PromptsArguments>>& settings) {
  std::vector<std::vector<record::Param>> params;
  for (const GridSetting<PromptsArguments>& setting : settings) {
    params.push_back(setting.params);
  }
  return describe_differences(params);
}

int run(std::vector<GridSetting<PromptsArguments>> given) {
  const std::vector<std::string> names = name_settings(given);
  const std::string out = given.front().settings.out;
  std::optional<files::OutputFile> file;  // opened once there is something to write
  std::size_t n_prompts = 0;
  experiment::Workbench workbench(show_encoding);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i].mistake) {
      std::rethrow_exception(given[i].mistake);
    }
    PromptsArguments& arguments = given[i].settings;
    arguments.settings.sentence_vectors.encode =
        workbench.text_encoder(choose_encoder(arguments.encoder, {}));
    const experiment::Questions questions = experiment::make_questions(arguments.settings);
    for (const std::string& warning : questions.warnings) {
      std::cerr << "warning: " << warning << '\n';
    }
    if (!file) file.emplace(out);
    write_prompts(questions, names[i], file->stream());
    n_prompts += questions.queries.size();
  }
  file->finish();
  if (!file->is_standard_output()) {
    std::cerr << n_prompts << " prompts written to " << out << '\n';
  }
  return kSuccess;
}

}  // namespace

Command prompts_command() {
  return make_grid_command<PromptsArguments>(
      {CommandGroup::Look, "prompts", "Write the prompts of a run as JSON lines, without a model",
       "labelprobe prompts GoEmotions --config configs/example/config.yaml --out -"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
