// Which label follows which, over the items of a run whose readouts put every label first once
// (`forced_matrix`): the mean probabilities, and how much order and repetition matter in them.
// Source: methods beyond the paper's four, sections 5.7 and 10.6.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

// Means over the items that have the row; in the order of the first item's labels. A label that no
// item has a row of counts nowhere.
struct LabelMatrix {
  struct Row {
    std::string first;         // the label that was put first
    std::size_t n = 0;         // items
    std::vector<double> next;  // [n_labels]: the label that follows
    double ends = 0.0;         // the answer ends there
  };

  std::string readout;
  record::Normalisation normalisation = record::Normalisation::LabelSet;
  std::vector<std::string> labels;
  std::size_t n = 0;             // items that have a matrix
  std::vector<double> unforced;  // [n_labels]: the first label, with none put before it
  std::vector<Row> rows;

  // The probability of a label behind itself: the mean of the diagonal.
  double mean_repeat() const;

  // How much more probable `next` is behind `first` than the other way round.
  struct Asymmetry {
    double mean = 0.0;  // of the sizes, over all pairs of labels
    double largest = 0.0;
    std::string first;  // of the largest
    std::string next;
  };
  // Zeros where fewer than two labels have rows.
  Asymmetry asymmetry() const;
};

// One for each readout that has them, in the order in which they are met.
std::vector<LabelMatrix> mean_matrices(std::span<const record::ItemRecord> items);

}  // namespace labelprobe::analysis
