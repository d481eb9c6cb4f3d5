#include "experiment/run/explored_run.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "experiment/explore/joint_explorer.h"
#include "experiment/prepare/chosen_readouts.h"

namespace labelprobe::experiment {

namespace {

// Passes on what the model tells, and puts together what comes of it.
class AnswersWithMore final : public model::Explorer {
 public:
  AnswersWithMore(std::span<const TokenIds> prompts,
                  const model::GenerateOptions& greedy,
                  const Settings& settings,
                  const Preparation& preparation,
                  const LabelIndices& label_indices,
                  const AnswerSink& sink)
      : prompts_(prompts), settings_(settings), label_indices_(label_indices), sink_(sink) {
    std::vector<model::Explorer*> explorers;
    std::vector<model::ExploreOptions> options;
    if (!settings.readouts.names.empty()) {
      readouts_ =
          make_readouts(settings, preparation.answers, *preparation.tokenizer, greedy.stop.end_ids,
                        [this](std::size_t prompt, auto values, const auto&) {
                          answers_[prompt].readouts = std::move(values);
                        });
      explorers.push_back(readouts_.get());
      options.push_back(readouts_->options_for(prompts));
    }
    if (settings.inside.is_asked_for()) {
      inner_.emplace(
          prompts, [this](auto... args) { return places_of(args...); },
          [this](std::size_t prompt, std::vector<InnerSight> seen) {
            for (InnerSight& sight : seen) {
              answers_[prompt].seen.push_back(std::move(sight.inside));
            }
          });
      explorers.push_back(&*inner_);
      options.push_back(InnerExplorer::options_for(settings.max_new_tokens));
      options.back().observe.hidden_layers = settings.inside.hidden_layers;
    }
    joint_.emplace(std::move(explorers));
    options_ = JointExplorer::joined(options);
  }

  const model::ExploreOptions& options() const { return options_; }

  void begin(std::size_t prompt) override {
    answers_[prompt] = {};
    joint_->begin(prompt);
  }
  void answer(std::size_t prompt, const model::Generation& answer) override {
    answers_[prompt].answer = answer;
    joint_->answer(prompt, answer);
  }
  void reach(const model::Place& place) override { joint_->reach(place); }
  void grow(std::size_t prompt, model::Frontier& next) override { joint_->grow(prompt, next); }

  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    joint_->finish(prompt, failure);
    ExploredAnswer answer = std::move(answers_[prompt]);
    answers_.erase(prompt);
    if (failure) {
      answer = {};
      answer.answer.failure = failure;
    }
    // A prompt that is too short to be looked into has looks and no sights.
    if (answer.seen.empty()) answer.looks.clear();
    sink_(prompt, std::move(answer));
  }

 private:
  std::vector<InnerPlace> places_of(std::size_t prompt, const model::Generation& answer) {
    ExploredAnswer& of = answers_[prompt];
    of.looks = label_looks(settings_.inside, static_cast<std::int64_t>(prompts_[prompt].size()),
                           label_indices_(prompt, answer));
    std::vector<InnerPlace> places;
    for (const LabelLook& look : of.looks) places.push_back(look.place);
    return places;
  }

  std::span<const TokenIds> prompts_;
  const Settings& settings_;
  const LabelIndices& label_indices_;
  const AnswerSink& sink_;
  std::unique_ptr<readout::ReadoutExplorer> readouts_;
  std::optional<InnerExplorer> inner_;
  std::optional<JointExplorer> joint_;
  model::ExploreOptions options_;
  std::map<std::size_t, ExploredAnswer> answers_;  // of prompts that are not finished
};

}  // namespace

bool is_explored(const Settings& settings) {
  return !settings.readouts.names.empty() || settings.inside.is_asked_for();
}

void answer_and_explore(model::LanguageModel& language_model,
                        std::span<const TokenIds> prompts,
                        const model::GenerateOptions& greedy,
                        const Settings& settings,
                        const Preparation& preparation,
                        const LabelIndices& label_indices,
                        const AnswerSink& sink) {
  AnswersWithMore explorer(prompts, greedy, settings, preparation, label_indices, sink);
  model::ExploreOptions options = explorer.options();
  options.greedy = greedy;
  options.batch_size = greedy.batch_size;
  options.share_prefixes = greedy.share_prefixes;
  options.is_answered = greedy.is_answered;
  options.on_work = greedy.on_work;
  language_model.explore(prompts, options, explorer);
}

}  // namespace labelprobe::experiment
