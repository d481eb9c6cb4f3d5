#include "analysis/estimate/answer_reader.h"

#include <string>

#include "labelprobe/core/error.h"

#include "analysis/estimate/estimation.h"

namespace labelprobe::analysis {

namespace {

constexpr std::array<double, 2> kNoAnswer = {0.5, 0.5};

double spelled_prob(const LogItem& item,
                    const record::AnswerReading& reading,
                    std::string_view word) {
  return prob_of(item, reading.bare_probs, word) + prob_of(item, reading.spaced_probs, word);
}

}  // namespace

// Returns the mass too.
double AnswerReader::add_mass(const LogItem& item, const record::AnswerReading& reading) {
  const double mass =
      spelled_prob(item, reading, words_[0]) + spelled_prob(item, reading, words_[1]);
  mass_sum_ += mass;
  ++n_with_mass_;
  return mass;
}

std::array<double, 2> AnswerReader::read_greedy(const LogItem& item) {
  const record::ItemRecord& record = *item.record;
  if (record.is_label_found()) {
    ++n_found_;
    if (record.greedy_answer) add_mass(item, *record.greedy_answer);
  } else {
    ++n_fallbacks_;
  }
  const record::LabelValues probs = record.first_probs();
  return {prob_of(item, probs, words_[0]), prob_of(item, probs, words_[1])};
}

// Its numbers may be relative to the words alone: the mass they hold of everything is told apart.
std::array<double, 2> AnswerReader::read_readout(const LogItem& item) {
  const record::ReadoutPlace place = position_ == AnswerPosition::Healed
                                         ? record::ReadoutPlace::Healed
                                         : record::ReadoutPlace::First;
  const record::ReadoutValues* values = find_readout(item, readout_, place);
  const std::array<double, 2> probs =
      values ? std::array<double, 2>{prob_of(item, values->probs, words_[0]),
                                     prob_of(item, values->probs, words_[1])}
             : std::array<double, 2>{};
  const double sum = probs[0] + probs[1];
  if (values && values->label_mass) {
    mass_sum_ += double{*values->label_mass};
    ++n_with_mass_;
  }
  if (!(sum > 0.0)) {
    ++n_fallbacks_;
    return kNoAnswer;
  }
  ++n_found_;
  return {probs[0] / sum, probs[1] / sum};
}

std::array<double, 2> AnswerReader::read(const LogItem& item) {
  ++n_read_;
  if (!readout_.empty()) return read_readout(item);
  if (position_ == AnswerPosition::Greedy) return read_greedy(item);
  const auto& reading =
      position_ == AnswerPosition::First ? item.record->first_answer : item.record->healed_answer;
  const double mass = reading ? add_mass(item, *reading) : 0.0;
  if (!(mass > 0.0)) {
    ++n_fallbacks_;
    return kNoAnswer;
  }
  n_found_ += reading->is_top ? 1 : 0;
  return {spelled_prob(item, *reading, words_[0]) / mass,
          spelled_prob(item, *reading, words_[1]) / mass};
}

void AnswerReader::report(Estimates& estimates) const {
  const bool is_greedy = position_ == AnswerPosition::Greedy;
  if (readout_.empty() && !is_greedy && n_read_ > 0 && n_with_mass_ == 0) {
    throw ConfigError("answer position '" + std::string(name_of(position_)) +
                      "': the log has no reading of it (logs of the published program have none); "
                      "use 'greedy'");
  }
  estimates.n_answers_found = n_found_;
  if (n_with_mass_ > 0) {
    estimates.mean_answer_mass = mass_sum_ / static_cast<double>(n_with_mass_);
  }
  if (n_fallbacks_ > 0) {
    estimates.warnings.push_back(count_of(
        n_fallbacks_, n_read_,
        is_greedy && readout_.empty()
            ? "answers never came; the logged fallback, equal words, counts there"
            : "items have no answer at the position asked; the words count as equal there"));
  }
}

}  // namespace labelprobe::analysis
