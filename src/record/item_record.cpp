#include "labelprobe/record/item_record.h"

#include <algorithm>
#include <cmath>
#include <concepts>

#include "labelprobe/record/fields.h"

namespace labelprobe::record {

namespace {

template <class Part>
concept IsOfReadout = std::same_as<Part, ReadoutValues> || std::same_as<Part, SetProbability> ||
    std::same_as<Part, SlotValues>;

// Rounds what is a logit or a probability and leaves everything else as it is.
class Rounder {
 public:
  explicit Rounder(int n_decimals) : scale_(std::pow(10.0, n_decimals)) {}

  template <class Value>
  void operator()(const Field&, Value& value) const {
    round(value);
  }

 private:
  template <class Value>
  void round(Value&) const {}

  void round(float& number) const {
    number = static_cast<float>(std::round(static_cast<double>(number) * scale_) / scale_);
  }

  void round(std::optional<float>& number) const {
    if (number) round(*number);
  }

  void round(LabelValues& values) const {
    for (auto& [name, number] : values) round(number);
  }

  void round(std::vector<LikelyToken>& tokens) const {
    for (LikelyToken& token : tokens) round(token.logit);
  }

  void round(std::optional<AnswerReading>& reading) const {
    if (reading) visit_fields(*reading, *this);
  }

  template <class Part>
  requires IsOfReadout<Part>
  void round(std::vector<Part>& parts) const {
    for (Part& part : parts) visit_fields(part, *this);
  }

  void round(std::optional<LabelAttention>& attention) const {
    if (attention) visit_fields(*attention, *this);
  }

  void round(std::vector<AttentionShare>& shares) const {
    for (AttentionShare& share : shares) round(share.weight);
  }

  void round(std::vector<LabelStep>& steps) const {
    for (LabelStep& step : steps) {
      // Rounded themselves: those of rounded logits are others.
      step.logged_probs = label_probs(step);
      visit_fields(step, *this);
    }
  }

  double scale_;
};

}  // namespace

LabelValues ItemRecord::first_probs() const {
  return is_label_found() ? label_probs(label_steps.front()) : stand_in_probs;
}

LabelValues ItemRecord::first_logits() const {
  return is_label_found() ? label_steps.front().logits : LabelValues();
}

std::int64_t ItemRecord::first_label_index() const {
  return is_label_found() ? label_steps.front().index.value_or(0)
                          : static_cast<std::int64_t>(outs_ids.size());
}

const std::vector<LikelyToken>& ItemRecord::likely_tokens() const {
  return is_label_found() ? label_steps.front().likely_tokens : opening_tokens;
}

std::string name_with_place(const ReadoutValues& values) {
  if (values.place == ReadoutPlace::Prompt) return values.name;
  return values.name + ", " + std::string(kReadoutPlaces.name_of(values.place));
}

void round_numbers(ItemRecord& item, int n_decimals) {
  visit_fields(item, Rounder(n_decimals));
}

LabelValues label_probs(const LabelStep& step) {
  if (!step.logged_probs.empty()) {
    return step.logged_probs;
  }
  std::vector<float> logits;
  for (const auto& [name, logit] : step.logits) logits.push_back(logit);
  const std::vector<float> probs = softmax(logits);
  LabelValues values = step.logits;
  for (std::size_t i = 0; i < values.size(); ++i) values[i].second = probs[i];
  return values;
}

std::vector<float> softmax(std::span<const float> logits) {
  std::vector<float> probs;
  if (logits.empty()) {
    return probs;
  }
  const float largest = *std::max_element(logits.begin(), logits.end());
  float sum = 0.0F;
  for (const float logit : logits) {
    sum += std::exp(logit - largest);
  }
  const float log_sum_exp = largest + std::log(sum);
  for (const float logit : logits) {
    probs.push_back(std::exp(logit - log_sum_exp));
  }
  return probs;
}

}  // namespace labelprobe::record
