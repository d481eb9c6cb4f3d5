#include "labelprobe/analysis/validity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace labelprobe::analysis {

namespace {

using record::AnswerReading;
using record::ItemRecord;
using record::LabelValues;

// Collects numbers of items.
class Numbers {
 public:
  void add(double number) {
    sum_ += number;
    most_ = n_ == 0 ? number : std::max(most_, number);
    ++n_;
  }
  void add(std::optional<float> number) {
    if (number) add(double{*number});
  }
  void add(bool is_so) { add(is_so ? 1.0 : 0.0); }
  std::size_t n() const { return n_; }
  double mean() const { return sum_ / static_cast<double>(n_); }
  double most() const { return most_; }

 private:
  std::size_t n_ = 0;
  double sum_ = 0.0;
  double most_ = 0.0;
};

class Rows {
 public:
  void add_share(const std::string& name,
                 const Numbers& hits,
                 double doubtful_from = 2.0,
                 const std::string& brief = "") {
    if (hits.n() == 0) return;
    ValidityRow& row = add(name, hits.mean(), hits.n());
    row.is_share = true;
    row.is_doubtful = hits.mean() >= doubtful_from;
    row.brief = brief;
  }
  void add_mean(const std::string& name,
                const Numbers& numbers,
                double doubtful_below = -1.0,
                const std::string& brief = "") {
    if (numbers.n() == 0) return;
    ValidityRow& row = add(name + ", mean", numbers.mean(), numbers.n());
    row.is_doubtful = numbers.mean() < doubtful_below;
    row.brief = brief;
  }
  void add_most(const std::string& name, const Numbers& numbers) {
    if (numbers.n() > 0) add(name + ", largest", numbers.most(), numbers.n());
  }
  std::vector<ValidityRow> take() { return std::move(rows_); }

 private:
  ValidityRow& add(const std::string& name, double value, std::size_t n) {
    ValidityRow& row = rows_.emplace_back();
    row.name = name;
    row.value = value;
    row.n = n;
    return row;
  }

  std::vector<ValidityRow> rows_;
};

const std::string& likeliest(const LabelValues& values) {
  return std::max_element(values.begin(), values.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

double sum_of(const LabelValues& values) {
  double sum = 0.0;
  for (const auto& [name, prob] : values) sum += prob;
  return sum;
}

// --- Answers that list labels, and label steps ---

void add_answers(std::span<const ItemRecord> items, Rows& rows) {
  Numbers listed, searched, silent, cut_off, without_step, position;
  for (const ItemRecord& item : items) {
    if (item.failure) continue;
    if (item.answer_source != record::AnswerSource::Unknown) {
      listed.add(item.answer_source == record::AnswerSource::Listed);
      searched.add(item.answer_source == record::AnswerSource::Searched);
      silent.add(item.answer_source == record::AnswerSource::Nothing);
    }
    cut_off.add(item.is_cut_off);
    without_step.add(!item.is_answered());
    if (item.is_label_found()) position.add(static_cast<double>(item.first_label_index()));
  }
  rows.add_share("answers in the format asked for", listed);
  rows.add_share("answers whose labels were searched for", searched);
  rows.add_share("answers that say nothing", silent, kLowLabelMass);
  rows.add_share("answers cut off inside what may be a label", cut_off);
  rows.add_share("answers without a label step", without_step, kLowLabelMass, "without a label");
  rows.add_mean("tokens before the first label step", position, -1.0, "tokens before it");
  rows.add_most("tokens before the first label step", position);
}

void add_label_steps(std::span<const ItemRecord> items, Rows& rows) {
  Numbers mass, low, disagreeing;
  for (const ItemRecord& item : items) {
    if (item.failure || !item.is_label_found()) continue;
    if (const auto of_step = label_mass(item.label_steps.front())) {
      mass.add(*of_step);
      low.add(*of_step < kLowLabelMass);
    }
    const LabelValues probs = item.first_probs();
    if (probs.empty() || item.greedy_answer || item.first_answer) continue;
    const std::string& best = likeliest(probs);
    const bool is_named = item.predictions.empty()
                              ? best == kNoneLabel
                              : std::find(item.predictions.begin(), item.predictions.end(), best) !=
                                    item.predictions.end();
    disagreeing.add(!is_named);
  }
  rows.add_mean("label mass at the first label step", mass, kLowLabelMass, "label mass");
  rows.add_share(fmt::format("label mass below {} there", kLowLabelMass), low, kLowLabelMass);
  rows.add_share("the likeliest first token's label is not what the text names", disagreeing, 2.0,
                 "first token against text");
}

// --- Answers of one word ---

LabelValues probs_of_words(const AnswerReading& reading) {
  LabelValues probs = reading.bare_probs;
  for (std::size_t i = 0; i < probs.size() && i < reading.spaced_probs.size(); ++i) {
    probs[i].second += reading.spaced_probs[i].second;
  }
  return probs;
}

struct PlaceInRun {
  const char* name;
  std::optional<AnswerReading> ItemRecord::*reading;
};
constexpr PlaceInRun kPlaces[] = {{"greedy", &ItemRecord::greedy_answer},
                                  {"first", &ItemRecord::first_answer},
                                  {"healed", &ItemRecord::healed_answer}};

void add_words(std::span<const ItemRecord> items, Rows& rows) {
  for (const PlaceInRun& place : kPlaces) {
    Numbers mass, top;
    for (const ItemRecord& item : items) {
      const auto& reading = item.*place.reading;
      if (item.failure || !reading) continue;
      mass.add(sum_of(probs_of_words(*reading)));
      top.add(reading->is_top);
    }
    rows.add_mean(fmt::format("answer words' mass, {}", place.name), mass, kLowLabelMass,
                  place.reading == &ItemRecord::greedy_answer ? ""  // the label mass is
                                                              : fmt::format("mass {}", place.name));
    rows.add_share(fmt::format("an answer word is the likeliest token, {}", place.name), top);
  }
  for (std::size_t a = 0; a < std::size(kPlaces); ++a) {
    for (std::size_t b = a + 1; b < std::size(kPlaces); ++b) {
      Numbers differing;
      for (const ItemRecord& item : items) {
        const auto& one = item.*kPlaces[a].reading;
        const auto& other = item.*kPlaces[b].reading;
        if (item.failure || !one || !other || one->bare_probs.empty()) continue;
        differing.add(likeliest(probs_of_words(*one)) != likeliest(probs_of_words(*other)));
      }
      rows.add_share(
          fmt::format("{} and {} prefer different words", kPlaces[a].name, kPlaces[b].name),
          differing, 2.0, fmt::format("{} against {}", kPlaces[a].name, kPlaces[b].name));
    }
  }
}

// --- Readouts ---

struct OfReadout {
  Numbers mass, off_format, unexplored, widest, undecided;
};

double widest(const record::ReadoutValues& values) {
  double widest = 0.0;
  for (std::size_t i = 0; i < values.lower.size() && i < values.upper.size(); ++i) {
    widest = std::max(widest, double{values.upper[i].second} - values.lower[i].second);
  }
  return widest;
}

// Whether some label is chosen at its upper bound and not at its lower one.
bool is_undecided(const record::ReadoutValues& values) {
  constexpr float kThreshold = 0.5F;
  for (std::size_t i = 0; i < values.lower.size() && i < values.upper.size(); ++i) {
    if (values.lower[i].second < kThreshold && values.upper[i].second >= kThreshold) return true;
  }
  return false;
}

void add_readouts(std::span<const ItemRecord> items, Rows& rows) {
  std::vector<std::string> names;
  std::map<std::string, OfReadout> by_name;
  for (const ItemRecord& item : items) {
    for (const record::ReadoutValues& values : item.readouts) {
      const std::string name = record::name_with_place(values);
      if (!by_name.contains(name)) names.push_back(name);
      OfReadout& of = by_name[name];
      of.mass.add(values.label_mass);
      of.off_format.add(values.off_format);
      of.unexplored.add(values.unexplored);
      if (values.lower.empty()) continue;
      of.widest.add(widest(values));
      of.undecided.add(is_undecided(values));
    }
  }
  for (const std::string& name : names) {
    const OfReadout& of = by_name.at(name);
    rows.add_mean(name + ": label mass", of.mass, kLowLabelMass);
    rows.add_mean(name + ": off format", of.off_format);
    rows.add_mean(name + ": unexplored", of.unexplored);
    rows.add_mean(name + ": widest bounds of a label", of.widest);
    rows.add_most(name + ": widest bounds of a label", of.widest);
    rows.add_share(name + ": some label is above 0.5 or below, as its bounds leave open",
                   of.undecided);
  }
}

}  // namespace

std::optional<double> label_mass(const record::LabelStep& step) {
  if (!step.log_sum_exp || step.logits.empty()) return std::nullopt;
  // One token has one logit.
  std::set<float> logits;
  for (const LabelValues* values : {&step.logits, &step.other_logits}) {
    for (const auto& [name, logit] : *values) logits.insert(logit);
  }
  double mass = 0.0;
  for (const float logit : logits) mass += std::exp(double{logit} - *step.log_sum_exp);
  return mass;
}

std::string describe_briefly(std::span<const ValidityRow> rows) {
  std::vector<std::string> parts;
  for (const ValidityRow& row : rows) {
    if (row.brief.empty()) continue;
    parts.push_back(fmt::format("{} {}", row.brief,
                                row.is_share ? fmt::format("{:.1f}%", 100.0 * row.value)
                                             : fmt::format("{:.3g}", row.value)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<ValidityRow> measure_validity(std::span<const ItemRecord> items) {
  Rows rows;
  Numbers failed;
  for (const ItemRecord& item : items) failed.add(item.failure.has_value());
  rows.add_share("items that failed", failed);
  add_answers(items, rows);
  add_label_steps(items, rows);
  add_words(items, rows);
  add_readouts(items, rows);
  return rows.take();
}

}  // namespace labelprobe::analysis
