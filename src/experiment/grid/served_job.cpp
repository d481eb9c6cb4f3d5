#include "experiment/grid/served_job.h"

#include <utility>

#include "labelprobe/core/error.h"

#include "experiment/served/served_bounds.h"
#include "experiment/served/served_model.h"

namespace labelprobe::experiment {

namespace {

// What the interfaces allow at most: completions of OpenAI itself 5, all others at least 20.
int n_top_of(const ServerLoading& served, const std::string& software, bool is_chat) {
  constexpr int kUsual = 20;
  constexpr int kOfOpenAiCompletions = 5;
  if (served.n_top > 0) return served.n_top;
  return software == "OpenAI" && !is_chat ? kOfOpenAiCompletions : kUsual;
}

void read_with_bounds(const decltype(Answers::read)& read,
                      const model::Generation& of_prompt,
                      const model::Generation* of_beginning,
                      record::ItemRecord& item) {
  read(of_prompt, of_beginning, item);
  item.n_prompt_tokens = 0;
  if (item.failure) return;
  item.readouts = bounds_of(of_prompt, of_beginning, item);
  item.outs_ids.clear();
  for (record::LabelStep& step : item.label_steps) step.vocab_entropy.reset();
}

}  // namespace

tokenizer::ChatTemplate served_chat_template() {
  return {ServedVocabulary::chat_template(), "the chats of a server", {}};
}

void prepare_served(const Job& job, Workbench& workbench, Preparation& preparation) {
  preparation.is_served = true;
  preparation.end_ids.clear();
  preparation.answers.draft = {};
  preparation.answers.read = [read = std::move(preparation.answers.read)](
                                 const model::Generation& of_prompt,
                                 const model::Generation* of_beginning, record::ItemRecord& item) {
    read_with_bounds(read, of_prompt, of_beginning, item);
  };
  // The vocabulary's own words are no tokens of the model.
  preparation.answers.description.clear();
  preparation.answers.warnings.clear();
  const model::ModelInfo& info = workbench.inspect(job.model);
  if (job.settings.repetition_penalty && info.backend != "vLLM" && info.backend != "llama.cpp" &&
      info.backend != "llama-cpp-python") {
    throw ConfigError(job.model.name + " is " + info.backend +
                      ": expected no --repetition-penalty, which only vLLM and llama.cpp have");
  }
}

std::map<std::string, std::string> contents_of_served(const PreparedJob& prepared) {
  const Preparation& preparation = prepared.preparation;
  return {
      {"version of the program", prepared.job.program_version},
      {"model", prepared.model_info.fingerprint},
      {"server", prepared.model_info.backend},
      {"prompts", preparation.contents_fingerprint},
      {"labels", fingerprint_of_labels(preparation)},
      {"gold labels or texts of items", fingerprint_of_items(prepared.job.settings, preparation)}};
}

void name_served(record::RunRequest& request, const PreparedJob& prepared) {
  for (record::Param& param : request.params) {
    if (param.name == "model_name_or_path") param.value = prepared.model_info.architecture;
  }
  request.params.push_back({"server_address",
                            prepared.job.model.served->options.address,
                            false,
                            {},
                            record::Bearing::Process});
}

void ask_served(const PreparedJob& prepared, Workbench& workbench) {
  const ServerLoading& served = *prepared.job.model.served;
  const Preparation& preparation = prepared.preparation;
  ServedAsking asking;
  asking.are_chats = prepared.job.settings.mode == prompt::PromptMode::Chat;
  if (served.sends_instruction) asking.system = preparation.questions.templates.instruction;
  if (!preparation.answers.stop.empty()) asking.stops = {preparation.answers.stop};
  asking.n_top =
      n_top_of(served, prepared.model_info.backend, asking.are_chats || served.options.asks_chat);
  workbench.served(prepared.job.model).ask_with(std::move(asking));
}

}  // namespace labelprobe::experiment
