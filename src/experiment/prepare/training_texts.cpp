#include "labelprobe/experiment/training_texts.h"

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"

namespace labelprobe::experiment {
namespace {

void note(const data::Dataset& set, TrainingTexts& texts) {
  for (const data::SourceFile& file : set.notes.files)
    texts.data_files[file.path.string()] = file.fingerprint;
  texts.warnings.insert(texts.warnings.end(), set.notes.warnings.begin(), set.notes.warnings.end());
}

data::Dataset load_test_set(const Settings& settings, const data::Dataset& train) {
  data::Dataset test = data::load(settings.task, settings.test);
  if (!(train.label_set == test.label_set)) {
    throw DataError(settings.task + ": the label sets of the train and test splits differ");
  }
  if (settings.limit && *settings.limit < static_cast<std::int64_t>(test.examples.size())) {
    test.examples.resize(static_cast<std::size_t>(*settings.limit));
  }
  return test;
}

}  // namespace

TrainingTexts make_training_texts(const Settings& settings) {
  if (settings.mode != prompt::PromptMode::Completion) {
    throw ConfigError(
        "--prompt-mode: expected completion, as training texts are no chats, found chat");
  }
  if (settings.train.splits.empty()) {
    throw ConfigError("no --train-splits are given: expected at least one split of " +
                      settings.task + " to train on");
  }
  const data::Dataset train = data::load(settings.task, settings.train);
  if (train.examples.empty()) throw DataError(settings.task + ": no training items are left");
  TrainingTexts texts;
  texts.label_set = train.label_set;
  texts.templates = prompt::Templates::resolve(settings.templates, train.label_set);
  note(train, texts);
  prompt::QueryOptions options;
  options.templates = texts.templates;
  options.sampling = settings.sampling;
  options.n_shots = settings.n_shots;
  options.seed = settings.seed;
  options.demonstrations = settings.demonstrations;
  options.own = prompt::OwnDemonstrations::Replace;  // no text shows its own answer
  options.ids_are_common = !data::task_info(settings.task).has_line_numbers_as_ids;
  texts.train =
      prompt::make_training_texts({train.examples, train.examples, train.label_set, options});
  if (settings.test.splits.empty()) return texts;
  const data::Dataset test = load_test_set(settings, train);
  note(test, texts);
  texts.validation =
      prompt::make_training_texts({train.examples, test.examples, train.label_set, options});
  options.n_shots = 0;
  texts.queries = prompt::make_baseline({train.examples, test.examples, train.label_set, options});
  return texts;
}

}  // namespace labelprobe::experiment
