// What a model says of conversations, prompt by prompt and put together.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/guard.h"
#include "labelprobe/readout/readouts.h"

#include "experiment/explore/joint_explorer.h"

namespace labelprobe::experiment {

namespace {

// A blank line and a verdict, spelled byte by byte, and the token that ends it.
constexpr int kVerdictTokens = 12;
constexpr int kVerdictPlaces = 64;

const std::vector<std::string> kDefaultReadouts = {"marginal_exact", "forced_prefix"};

struct PromptReading {
  std::string answer;
  prompt::GuardVerdict verdict;
  double p_unsafe = 0.0;
  double p_unsafe_vocab = 0.0;
  double label_mass = 0.0;
  std::vector<record::ReadoutValues> readouts;
  std::optional<std::string> failure;
};

double value_of(const record::ReadoutValues& values, std::string_view label) {
  for (const auto& [name, prob] : values.probs) {
    if (name == label) return prob;
  }
  LABELPROBE_CHECK(false);
  return 0.0;
}

void read_verdict_values(const record::ReadoutValues& values, PromptReading& reading) {
  reading.p_unsafe_vocab = value_of(values, prompt::kUnsafe);
  reading.label_mass = reading.p_unsafe_vocab + value_of(values, prompt::kSafe);
  if (reading.label_mass > 0.0) reading.p_unsafe = reading.p_unsafe_vocab / reading.label_mass;
}

void multiply(record::LabelValues& probs, double factor) {
  for (auto& [name, prob] : probs) prob = static_cast<float>(prob * factor);
}

void scale_forced_prefix(record::ReadoutValues& values, double p_unsafe) {
  multiply(values.probs, p_unsafe);
  values.name = kUnsafeForcedPrefix;
  values.params += ", times p_unsafe of the two verdicts";
  values.normalisation = record::Normalisation::Answer;
}

// Both readings of a prompt's answers, over the same computed prompts: the verdict and the codes.
class VerdictReader final : public model::Explorer {
 public:
  using Sink = std::function<void(std::size_t prompt, PromptReading)>;

  VerdictReader(const GuardTask& task,
                const tokenizer::Tokenizer& tokenizer,
                const TokenIds& end_ids,
                Sink sink)
      : task_(task), tokenizer_(tokenizer), sink_(std::move(sink)) {
    readout::ReadoutOptions options = task.settings.readouts.options;
    options.forced_prefix.clear();
    options.max_new_tokens = kVerdictTokens;
    options.max_places = kVerdictPlaces;
    verdict_ = std::make_unique<readout::ReadoutExplorer>(
        readout::verdict_format(), tokenizer, end_ids,
        std::vector{&readout::find_readout("slot_trie")}, options,
        [this](std::size_t, auto values, const auto&) { verdict_values_ = std::move(values); });
    std::vector<model::Explorer*> explorers = {verdict_.get()};
    if (!task.settings.is_one_by_one) {
      codes_ = std::make_unique<readout::ReadoutExplorer>(
          readout::hazard_format(task.codes), tokenizer, end_ids, chosen(),
          task.settings.readouts.options,
          [this](std::size_t, auto values, const auto&) { values_ = std::move(values); });
      explorers.push_back(codes_.get());
    }
    joint_.emplace(std::move(explorers));
  }

  model::ExploreOptions options_for(std::span<const TokenIds> prompts) {
    std::vector<model::ExploreOptions> options = {verdict_->options_for(prompts)};
    if (codes_) options.push_back(codes_->options_for(prompts));
    return JointExplorer::joined(options);
  }

  void begin(std::size_t prompt) override {
    answers_.erase(prompt);
    joint_->begin(prompt);
  }
  void answer(std::size_t prompt, const model::Generation& answer) override {
    answers_[prompt] = tokenizer_.decode(answer.token_ids);
  }
  void reach(const model::Place& place) override { joint_->reach(place); }
  void grow(std::size_t prompt, model::Frontier& next) override { joint_->grow(prompt, next); }

  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    joint_->finish(prompt, failure);
    PromptReading reading;
    reading.failure = failure;
    if (!failure) {
      reading.answer = std::move(answers_.at(prompt));
      reading.verdict = prompt::read_verdict(reading.answer, codes_of(prompt));
      read_verdict_values(verdict_values_.front(), reading);
      reading.readouts = std::move(values_);
      for (record::ReadoutValues& values : reading.readouts) {
        if (values.name == "forced_prefix") scale_forced_prefix(values, reading.p_unsafe);
      }
    }
    answers_.erase(prompt);
    sink_(prompt, std::move(reading));
  }

 private:
  std::vector<const readout::Readout*> chosen() const {
    const std::vector<std::string>& given = task_.settings.readouts.names;
    std::vector<const readout::Readout*> rows;
    for (const std::string& name : given.empty() ? kDefaultReadouts : given) {
      rows.push_back(&readout::find_readout(name));
    }
    return rows;
  }

  std::span<const std::string> codes_of(std::size_t prompt) const {
    const std::span<const std::string> all(task_.codes);
    return task_.settings.is_one_by_one ? all.subspan(prompt % task_.n_per_item, 1) : all;
  }

  const GuardTask& task_;
  const tokenizer::Tokenizer& tokenizer_;
  Sink sink_;
  std::unique_ptr<readout::ReadoutExplorer> verdict_;
  std::unique_ptr<readout::ReadoutExplorer> codes_;  // null: each prompt has one category
  std::optional<JointExplorer> joint_;
  std::map<std::size_t, std::string> answers_;  // of prompts that are not finished
  // What was read of the prompt that is just finished.
  std::vector<record::ReadoutValues> verdict_values_;
  std::vector<record::ReadoutValues> values_;
};

// The prompts of one conversation with a category each. Whether a code is listed does not matter
// there: `unsafe` says that the prompt's own category is violated.
GuardReading put_together(const GuardTask& task, std::vector<PromptReading> prompts) {
  GuardReading reading;
  record::ReadoutValues values;
  values.name = kOneByOne;
  values.params = "verdict of one category per prompt";
  values.normalisation = record::Normalisation::LabelSet;
  reading.label_mass = 1.0;
  bool has_safe = false;
  for (std::size_t k = 0; k < prompts.size(); ++k) {
    PromptReading& of = prompts[k];
    if (of.failure) {
      reading = {};
      reading.failure = fmt::format("asked about {}: {}", task.codes[k], *of.failure);
      return reading;
    }
    values.probs.emplace_back(task.codes[k], static_cast<float>(of.p_unsafe));
    if (k == 0 || of.p_unsafe > reading.p_unsafe) {
      reading.p_unsafe = of.p_unsafe;
      reading.p_unsafe_vocab = of.p_unsafe_vocab;
    }
    reading.label_mass = std::min(reading.label_mass, of.label_mass);
    if (of.verdict.is_unsafe == true) reading.verdict.codes.push_back(task.codes[k]);
    has_safe = has_safe || of.verdict.is_unsafe == false;
    reading.answers.push_back(std::move(of.answer));
  }
  if (has_safe || !reading.verdict.codes.empty()) {
    reading.verdict.is_unsafe = !reading.verdict.codes.empty();
  }
  values.label_mass = static_cast<float>(reading.label_mass);
  reading.readouts.push_back(std::move(values));
  return reading;
}

GuardReading alone(PromptReading prompt) {
  GuardReading reading;
  reading.failure = std::move(prompt.failure);
  if (reading.failure) return reading;
  reading.answers.push_back(std::move(prompt.answer));
  reading.verdict = std::move(prompt.verdict);
  reading.p_unsafe = prompt.p_unsafe;
  reading.p_unsafe_vocab = prompt.p_unsafe_vocab;
  reading.label_mass = prompt.label_mass;
  reading.readouts = std::move(prompt.readouts);
  return reading;
}

}  // namespace

void read_conversations(model::LanguageModel& language_model,
                        const GuardTask& task,
                        const tokenizer::Tokenizer& tokenizer,
                        const GuardReadingOptions& options,
                        const std::function<void(std::size_t item, GuardReading)>& sink) {
  const model::ModelInfo& info = language_model.info();
  model::GenerateOptions greedy;
  greedy.stop.max_new_tokens = task.settings.max_new_tokens;
  greedy.stop.end_ids = info.end_ids;
  for (const TokenId id : task.end_ids) {
    TokenIds& ends = greedy.stop.end_ids;
    if (std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
  }
  greedy.rules = info.rules;
  std::map<std::size_t, std::map<std::size_t, PromptReading>> waiting;  // by item and prompt
  VerdictReader reader(task, tokenizer, greedy.stop.end_ids,
                       [&](std::size_t prompt, PromptReading reading) {
                         if (!task.settings.is_one_by_one) {
                           sink(prompt, alone(std::move(reading)));
                           return;
                         }
                         const std::size_t item = prompt / task.n_per_item;
                         auto& parts = waiting[item];
                         parts.emplace(prompt, std::move(reading));
                         if (parts.size() < task.n_per_item) return;
                         std::vector<PromptReading> all;
                         for (auto& [id, part] : parts) all.push_back(std::move(part));
                         waiting.erase(item);
                         sink(item, put_together(task, std::move(all)));
                       });
  model::ExploreOptions asked = reader.options_for(task.prompts);
  asked.greedy = std::move(greedy);
  asked.batch_size = options.batch_size;
  asked.share_prefixes = options.share_prefixes;
  for (const bool is_read : options.is_read) {
    asked.is_answered.insert(asked.is_answered.end(), task.n_per_item, is_read);
  }
  asked.on_work = options.on_work;
  language_model.explore(task.prompts, asked, reader);
}

}  // namespace labelprobe::experiment
