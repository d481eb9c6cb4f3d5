#include "experiment/run/readout_run.h"

#include <map>
#include <memory>
#include <utility>

#include "experiment/prepare/chosen_readouts.h"

namespace labelprobe::experiment {

namespace {

// Passes on what the model tells, and puts answers and readouts together.
class AnswersWithReadouts final : public model::Explorer {
 public:
  AnswersWithReadouts(const Settings& settings,
                      const Preparation& preparation,
                      TokenIds end_ids,
                      const AnswerSink& sink)
      : sink_(sink),
        readouts_(make_readouts(
            settings,
            preparation.answers,
            *preparation.tokenizer,
            std::move(end_ids),
            [this](std::size_t, auto values, const auto&) { values_ = std::move(values); })) {}

  model::ExploreOptions options_for(std::span<const TokenIds> prompts) {
    return readouts_->options_for(prompts);
  }

  void begin(std::size_t prompt) override {
    answers_.erase(prompt);
    readouts_->begin(prompt);
  }
  void answer(std::size_t prompt, const model::Generation& answer) override {
    answers_[prompt] = answer;
    readouts_->answer(prompt, answer);
  }
  void reach(const model::Place& place) override { readouts_->reach(place); }
  void grow(std::size_t prompt, model::Frontier& next) override { readouts_->grow(prompt, next); }

  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    readouts_->finish(prompt, failure);
    model::Generation answer = std::move(answers_[prompt]);
    answers_.erase(prompt);
    if (failure) {
      answer = {};
      answer.failure = failure;
    }
    sink_(prompt, std::move(answer), std::move(values_));
  }

 private:
  const AnswerSink& sink_;
  std::unique_ptr<readout::ReadoutExplorer> readouts_;
  std::map<std::size_t, model::Generation> answers_;  // of prompts that are not finished
  std::vector<record::ReadoutValues> values_;         // of the prompt that is just finished
};

}  // namespace

void answer_with_readouts(model::LanguageModel& language_model,
                          std::span<const TokenIds> prompts,
                          const model::GenerateOptions& greedy,
                          const Settings& settings,
                          const Preparation& preparation,
                          const AnswerSink& sink) {
  AnswersWithReadouts explorer(settings, preparation, greedy.stop.end_ids, sink);
  model::ExploreOptions options = explorer.options_for(prompts);
  options.greedy = greedy;
  options.batch_size = greedy.batch_size;
  options.share_prefixes = greedy.share_prefixes;
  options.is_answered = greedy.is_answered;
  options.on_work = greedy.on_work;
  language_model.explore(prompts, options, explorer);
}

}  // namespace labelprobe::experiment
