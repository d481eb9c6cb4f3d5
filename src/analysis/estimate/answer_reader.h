// The probabilities of two answer words at the position asked, item by item, and how well they
// could be read.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "labelprobe/analysis/estimators.h"

#include "analysis/estimate/log_items.h"

namespace labelprobe::analysis {

class AnswerReader {
 public:
  //   readout  whose probabilities count, at the position asked; empty: those of the words' first
  //            tokens do. A readout has two positions: greedy is first.
  AnswerReader(AnswerPosition position,
               std::array<std::string_view, 2> words,
               std::string_view readout = {})
      : position_(position), words_(words), readout_(readout) {}

  // The words' probabilities, summing to 1; 0.5 each where there is no answer to read.
  std::array<double, 2> read(const LogItem& item);

  // Fills n_answers_found, mean_answer_mass and warnings. Throws ConfigError if no item had the
  // position asked.
  void report(Estimates& estimates) const;

 private:
  std::array<double, 2> read_greedy(const LogItem& item);
  std::array<double, 2> read_readout(const LogItem& item);
  double add_mass(const LogItem& item, const record::AnswerReading& reading);

  AnswerPosition position_;
  std::array<std::string_view, 2> words_;
  std::string_view readout_;
  std::size_t n_read_ = 0;
  std::size_t n_found_ = 0;
  std::size_t n_fallbacks_ = 0;
  std::size_t n_with_mass_ = 0;
  double mass_sum_ = 0.0;
};

}  // namespace labelprobe::analysis
