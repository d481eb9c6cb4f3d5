#include "labelprobe/analysis/label_matrix.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace labelprobe::analysis {

namespace {

using record::LabelValues;
using record::ReadoutValues;
using record::SlotValues;

std::optional<std::size_t> place_of(const LabelMatrix& matrix, const std::string& label) {
  const auto found = std::find(matrix.labels.begin(), matrix.labels.end(), label);
  if (found == matrix.labels.end()) return std::nullopt;
  return static_cast<std::size_t>(found - matrix.labels.begin());
}

void add(std::vector<double>& sums, const LabelMatrix& matrix, const LabelValues& values) {
  for (const auto& [name, prob] : values) {
    if (const auto place = place_of(matrix, name)) sums[*place] += double{prob};
  }
}

LabelMatrix make_matrix(const ReadoutValues& like) {
  LabelMatrix matrix;
  matrix.readout = like.name;
  matrix.normalisation = like.normalisation;
  for (const auto& [name, prob] : like.probs) matrix.labels.push_back(name);
  matrix.unforced.resize(matrix.labels.size());
  for (const std::string& name : matrix.labels) {
    matrix.rows.push_back({name, 0, std::vector<double>(matrix.labels.size()), 0.0});
  }
  return matrix;
}

// Sums, until divide().
void add(LabelMatrix& matrix, const ReadoutValues& values) {
  ++matrix.n;
  add(matrix.unforced, matrix, values.probs);
  for (const SlotValues& slot : values.forced) {
    const auto place = slot.seen.size() == 1 ? place_of(matrix, slot.seen.front()) : std::nullopt;
    if (!place) continue;
    LabelMatrix::Row& row = matrix.rows[*place];
    ++row.n;
    add(row.next, matrix, slot.probs);
    row.ends += slot.ends.value_or(0.0F);
  }
}

void divide(LabelMatrix& matrix) {
  for (double& sum : matrix.unforced) sum /= static_cast<double>(matrix.n);
  for (LabelMatrix::Row& row : matrix.rows) {
    if (row.n == 0) continue;
    const auto n = static_cast<double>(row.n);
    for (double& sum : row.next) sum /= n;
    row.ends /= n;
  }
}

}  // namespace

double LabelMatrix::mean_repeat() const {
  double sum = 0.0;
  int n_rows = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].n == 0) continue;
    sum += rows[i].next[i];
    ++n_rows;
  }
  return n_rows == 0 ? 0.0 : sum / n_rows;
}

LabelMatrix::Asymmetry LabelMatrix::asymmetry() const {
  Asymmetry found;
  int n_pairs = 0;
  for (std::size_t a = 0; a < rows.size(); ++a) {
    for (std::size_t b = a + 1; b < rows.size(); ++b) {
      if (rows[a].n == 0 || rows[b].n == 0) continue;
      const double more = rows[a].next[b] - rows[b].next[a];
      found.mean += std::abs(more);
      ++n_pairs;
      if (std::abs(more) <= found.largest) continue;
      found.largest = std::abs(more);
      found.first = more > 0.0 ? labels[a] : labels[b];
      found.next = more > 0.0 ? labels[b] : labels[a];
    }
  }
  if (n_pairs > 0) found.mean /= n_pairs;
  return found;
}

std::vector<LabelMatrix> mean_matrices(std::span<const record::ItemRecord> items) {
  std::vector<LabelMatrix> matrices;
  for (const record::ItemRecord& item : items) {
    for (const ReadoutValues& values : item.readouts) {
      if (values.forced.empty()) continue;
      auto matrix = std::find_if(matrices.begin(), matrices.end(), [&](const LabelMatrix& known) {
        return known.readout == values.name;
      });
      if (matrix == matrices.end()) matrix = matrices.insert(matrix, make_matrix(values));
      add(*matrix, values);
    }
  }
  for (LabelMatrix& matrix : matrices) divide(matrix);
  return matrices;
}

}  // namespace labelprobe::analysis
