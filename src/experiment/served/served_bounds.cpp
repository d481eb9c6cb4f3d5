#include "experiment/served/served_bounds.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiment/served/served_answer.h"

namespace labelprobe::experiment {

namespace {

using record::LabelValues;

// Probabilities of labels in the whole vocabulary, 0 where they were not shown.
LabelValues shown_probs(const record::LabelStep& step) {
  LabelValues probs = step.logits;
  for (auto& [label, number] : probs) {
    number = number <= kUnseenLogprob ? 0.0F : std::exp(number);
  }
  return probs;
}

LabelValues shown_probs(const record::AnswerReading& reading) {
  LabelValues probs = reading.bare_probs;
  for (std::size_t i = 0; i < probs.size(); ++i) {
    probs[i].second += reading.spaced_probs[i].second;
  }
  return probs;
}

struct Shown {
  double unseen = 1.0;  // what is left of the vocabulary
  double least = 1.0;   // no token that was not shown is likelier
};

Shown shown_at(const model::Step& step) {
  Shown shown;
  for (const model::TopToken& top : step.top_tokens) {
    const double prob = std::exp(static_cast<double>(top.logit));
    shown.unseen -= prob;
    shown.least = std::min(shown.least, prob);
  }
  shown.unseen = std::max(shown.unseen, 0.0);
  shown.least = std::min(shown.least, shown.unseen);
  return shown;
}

record::ReadoutValues bounds_at(const model::Step& step, const LabelValues& probs) {
  const Shown shown = shown_at(step);
  double mass = 0;
  double missing = 0;  // labels that were not shown
  for (const auto& [label, prob] : probs) {
    mass += prob;
    missing += prob > 0 ? 0 : 1;
  }
  const double most_missing = std::min(missing * shown.least, shown.unseen);
  record::ReadoutValues values;
  values.name = kTopLogprobs;
  values.params = fmt::format("{} tokens", step.top_tokens.size());
  values.normalisation = record::Normalisation::LabelSet;
  values.label_mass = static_cast<float>(mass);
  values.unexplored = static_cast<float>(shown.unseen);
  // Nothing that names a label was shown: every label may be as likely as it likes.
  const bool is_blank = mass <= 0;
  for (const auto& [label, prob] : probs) {
    const bool is_shown = prob > 0;
    const double lower = is_shown ? prob / (mass + most_missing) : 0;
    const double upper = is_blank   ? 1.0
                         : is_shown ? prob / mass
                                    : shown.least / (mass + shown.least);
    values.probs.emplace_back(label, is_blank ? 1.0F / static_cast<float>(probs.size())
                                              : static_cast<float>(prob / mass));
    values.lower.emplace_back(label, static_cast<float>(lower));
    values.upper.emplace_back(label, static_cast<float>(upper));
  }
  return values;
}

record::SlotValues slot_at(const model::Step& step, const record::LabelStep& of, std::int64_t n) {
  record::ReadoutValues values = bounds_at(step, shown_probs(of));
  record::SlotValues slot;
  slot.number = n;
  slot.index = of.index.value_or(0);
  slot.probs = std::move(values.probs);
  slot.label_mass = values.label_mass;
  slot.unclaimed = values.unexplored;
  return slot;
}

}  // namespace

std::vector<record::ReadoutValues> bounds_of(const model::Generation& of_prompt,
                                             const model::Generation* of_beginning,
                                             const record::ItemRecord& item) {
  std::vector<record::ReadoutValues> bounds;
  if (!item.label_steps.empty()) {
    const auto step_of = [&](const record::LabelStep& step) -> const model::Step& {
      return of_prompt.steps[static_cast<std::size_t>(step.index.value())];
    };
    const record::LabelStep& first = item.label_steps.front();
    bounds.push_back(bounds_at(step_of(first), shown_probs(first)));
    for (std::size_t i = 1; i < item.label_steps.size(); ++i) {
      const record::LabelStep& step = item.label_steps[i];
      bounds.back().slots.push_back(slot_at(step_of(step), step, static_cast<std::int64_t>(i) + 1));
    }
  }
  const auto add = [&](const model::Generation& generation, const record::AnswerReading& reading,
                       record::ReadoutPlace place) {
    bounds.push_back(bounds_at(generation.steps.front(), shown_probs(reading)));
    bounds.back().place = place;
  };
  if (item.first_answer) add(of_prompt, *item.first_answer, record::ReadoutPlace::First);
  if (item.healed_answer) add(*of_beginning, *item.healed_answer, record::ReadoutPlace::Healed);
  return bounds;
}

}  // namespace labelprobe::experiment
