// labelprobe prompts: the prompts of a run, one JSON object a line, without a model.
#include <array>
#include <fstream>
#include <iostream>
#include <memory>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/preparation.h"

#include "command.h"
#include "run_settings.h"

namespace labelprobe::app {

namespace {

void write_prompts(const experiment::Questions& questions, std::ostream& out) {
  for (const prompt::Query& query : questions.queries) {
    const nlohmann::ordered_json line = {
        {"id", query.item.id()}, {"text", query.text}, {"demos", query.demonstration_ids}};
    out << line.dump() << '\n';
  }
  out.flush();
}

}  // namespace

CommandBody declare_prompts(CLI::App& app) {
  struct Arguments {
    std::string task;
    std::string out = "-";
    Options options;
  };
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("TASK", arguments->task, "Data set (see: labelprobe ls datasets)")->required();
  app.add_option("--out", arguments->out, "File to write; - = standard output")
      ->capture_default_str();
  arguments->options.declare(app, std::array{kDataGroup, kPromptGroup});
  return [arguments] {
    arguments->options.resolve();
    const experiment::Settings settings = make_settings(arguments->task, arguments->options);
    const experiment::Questions questions = experiment::make_questions(settings);
    for (const std::string& warning : questions.warnings) {
      std::cerr << "warning: " << warning << '\n';
    }
    if (arguments->out == "-") {
      write_prompts(questions, std::cout);
      return std::cout ? kSuccess : kDataError;
    }
    std::ofstream file(arguments->out, std::ios::binary);
    write_prompts(questions, file);
    if (!file) {
      throw ConfigError(arguments->out + ": cannot be written");
    }
    std::cerr << questions.queries.size() << " prompts written to " << arguments->out << '\n';
    return kSuccess;
  };
}

}  // namespace labelprobe::app
