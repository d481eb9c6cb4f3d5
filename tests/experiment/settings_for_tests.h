// Settings over the bundled example data, a tokenizer that knows their words, and a run with a
// scripted model.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "labelprobe/experiment/run.h"

#include "support/fake_model.h"
#include "support/list_tokenizer.h"
#include "support/paths.h"

namespace labelprobe::experiment {

inline const std::filesystem::path kExampleData = support::source_folder() / "configs" / "example";

inline Settings example_settings() {
  Settings settings;
  settings.task = "GoEmotions";
  settings.train.root_dir = settings.test.root_dir = kExampleData;
  settings.train.emotion_clustering_json = settings.test.emotion_clustering_json =
      kExampleData / "emotion_clustering.json";
  settings.train.splits = {"train"};
  settings.test.splits = {"dev"};
  settings.templates.system = " ";
  settings.templates.instruction = "Classify: {labels}.\n";
  settings.templates.incontext = "Input: {text}\n{label}\n";
  settings.sampling = prompt::SamplingStrategy::parse("multilabel");
  settings.n_shots = 2;
  settings.max_new_tokens = 4;
  settings.limit = 6;
  settings.batch_size = 2;
  return settings;
}

inline const support::ListTokenizer kTokenizer(
    {"joy",        " joy",        "optimism",     " optimism",    "admiration", " admiration",
     "surprise",   " surprise",   "fear",         " fear",        "sadness",    " sadness",
     "anger",      " anger",      "none",         " none",        "Input:",     ", ",
     "reasonable", " reasonable", "unreasonable", " unreasonable"});

// "\n", "joy", ",", " fear" for every prompt.
inline support::FakeModel answering_model() {
  const TokenIds answer = {kTokenizer.id("\n"), kTokenizer.id("joy"), kTokenizer.id(","),
                           kTokenizer.id(" fear")};
  return {kTokenizer.vocab_size(),
          [answer](std::span<const TokenId>, std::span<const TokenId> generated) {
            std::vector<float> logits(static_cast<std::size_t>(kTokenizer.vocab_size()), 0.0F);
            logits[static_cast<std::size_t>(answer[generated.size()])] = 3.0F;
            return logits;
          }};
}

inline record::RunRequest request(const std::filesystem::path& logs, const Settings& settings) {
  record::RunRequest made;
  made.log_root = logs;
  made.category = "GoEmotions";
  made.alternative_name = "test";
  made.layout = settings.plan->layout;
  made.params = {{"shot", std::int64_t{2}, true, {}}};
  made.contents = {{"prompts", "test"}};
  return made;
}

inline Outcome run_with(support::FakeModel model,
                        const Settings& settings,
                        const std::filesystem::path& logs) {
  const Preparation preparation = prepare(settings, kTokenizer);
  record::Run files = record::Run::open(request(logs, settings));
  return run(
      settings, preparation, [&]() -> model::LanguageModel& { return model; }, files,
      [](const Progress&) {});
}

}  // namespace labelprobe::experiment
