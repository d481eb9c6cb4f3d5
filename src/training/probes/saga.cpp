#include "training/probes/saga.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/numpy_random.h"

#include "training/probes/row_products.h"
#include "training/probes/row_sums.h"

namespace labelprobe::training {

namespace {

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

// The order in which scikit-learn's data sets hand out their rows.
class RowDraws {
 public:
  RowDraws(std::uint32_t seed, std::int64_t n_rows)
      : state_(static_cast<std::uint32_t>(
            python::NumpyRandom(seed).randint(1, std::numeric_limits<std::int32_t>::max()))),
        n_rows_(n_rows) {}

  std::int64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return static_cast<std::int64_t>(state_ & 0x7FFFFFFFu) % n_rows_;
  }

 private:
  std::uint32_t state_;
  std::int64_t n_rows_;
};

// Rows that are taken together, so that most of the work is products of matrices: few where the
// products of the rows with each other have to be made anew each time.
constexpr std::int64_t kRowsPerStep = 16;
constexpr std::int64_t kKnownRowsAtOnce = 64;

// Features whose sums are made by one thread: what rows and columns hold of them stays in its
// cache. A fixed number, so that sums do not depend on how many threads there are.
constexpr std::int64_t kFeaturesAtOnce = 256;

at::Tensor tensor_of(const Rows& rows) {
  return at::from_blob(const_cast<double*>(rows.numbers), {rows.n_rows, rows.n_features},
                       at::TensorOptions(at::kDouble));
}

// What all fits have in common.
struct Sample {
  at::Tensor rows;
  at::Tensor among_rows;  // lower_products() of the rows, or undefined
  double step = 0;

  Sample(const Rows& given, std::int64_t max_known_rows) : rows(tensor_of(given)) {
    if (given.n_rows <= max_known_rows) among_rows = lower_products(rows);
    const double largest = rows.square().sum(1).max().item<double>();
    step = 1.0 / (2.0 * 0.25 * (largest + 1.0));
  }
};

// The rows of a block, which were drawn one after the other, and what follows from them alone.
struct Block {
  std::vector<std::int64_t> rows;
  // The sum of the mean steps up to and with each: as far as the weights have moved along the sum
  // of gradients.
  std::vector<double> moved;
  std::vector<double> among;  // [n][n], products of each row with those before; the rest is unused
};

std::int64_t padded(std::int64_t n_columns) {
  // Weights and sums of gradients of as many.
  constexpr std::int64_t kStep = kColumnStep / 2;
  return (n_columns + kStep - 1) / kStep * kStep;
}

// One regression on its way, but for weights and sums of gradients, which lie with those of others.
class Fit {
 public:
  Fit(const Targets& targets, std::size_t first_column)
      : targets_(&targets),
        first_column_(first_column),
        n_columns_(static_cast<std::size_t>(targets.n_columns())),
        gradients_(n_columns_ * targets.classes.size()),
        slopes_(n_columns_),
        intercepts_(n_columns_),
        intercept_sums_(n_columns_) {}

  std::size_t first_column() const { return first_column_; }
  std::size_t n_columns() const { return n_columns_; }
  const std::vector<double>& intercepts() const { return intercepts_; }
  void move_to_column(std::size_t column) { first_column_ = column; }

  // One step with a row, from its products with all columns to what its gradients change by.
  void take(
      std::int64_t row, const double* products, double step, double mean_step, double* changes) {
    const int own = targets_->classes[static_cast<std::size_t>(row)];
    for (std::size_t i = 0; i < n_columns_; ++i) {
      slopes_[i] = products[first_column_ + i] + intercepts_[i];
    }
    if (n_columns_ == 1) {
      slopes_[0] = sigmoid(slopes_[0]) - own;
    } else {
      slopes_ = class_probs(slopes_);
      slopes_[static_cast<std::size_t>(own)] -= 1.0;
    }
    double* known = gradients_.data() + static_cast<std::size_t>(row) * n_columns_;
    for (std::size_t i = 0; i < n_columns_; ++i) {
      const double change = slopes_[i] - known[i];
      known[i] = slopes_[i];
      changes[first_column_ + i] = change;
      // As a weight whose feature is 1 in every row.
      intercepts_[i] -= step * change + mean_step * intercept_sums_[i];
      intercept_sums_[i] += change;
    }
  }

 private:
  const Targets* targets_;
  std::size_t first_column_;
  std::size_t n_columns_;
  std::vector<double> gradients_;  // [n_rows][n_columns], by the products
  std::vector<double> slopes_;     // [n_columns]
  std::vector<double> intercepts_;
  std::vector<double> intercept_sums_;
};

// The fits, which take the same rows.
//
// A step with row x, whose gradient changes by c, moves the weights to w - step c x - m g and the
// sum of gradients to g + c x, where m is step / rows seen. Behind some steps the product with a
// row is therefore made of those with the w and g of the beginning and of products of rows with
// each other: a block of rows takes a few products of matrices, the steps between are sums of
// numbers.
class Company {
 public:
  Company(const Sample& sample, std::span<const Targets> targets, const SagaOptions& options)
      : sample_(sample),
        options_(options),
        draws_(options.seed, sample.rows.size(0)),
        is_seen_(static_cast<std::size_t>(sample.rows.size(0)), false),
        places_(targets.size()) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      fits_.emplace_back(targets[i], static_cast<std::size_t>(n_columns_));
      places_[i] = i;
      n_columns_ += targets[i].n_columns();
    }
    n_padded_ = padded(n_columns_);
    state_ = at::zeros({sample.rows.size(1), 2, n_padded_}, at::kDouble);
    earlier_weights_ = weights();
  }

  void run(const SolverProgress& progress, std::span<Regression> found) {
    for (std::int64_t epoch = 1; epoch <= options_.max_epochs && !fits_.empty(); ++epoch) {
      if (progress) progress(epoch, fits_.size());
      const std::int64_t n_rows = sample_.rows.size(0);
      const std::int64_t at_once = sample_.among_rows.defined() ? kKnownRowsAtOnce : kRowsPerStep;
      for (std::int64_t first = 0; first < n_rows; first += at_once) {
        take(draw(std::min(at_once, n_rows - first)));
      }
      take({});
      finish(epoch, found);
    }
  }

 private:
  Block draw(std::int64_t n) {
    Block block;
    double moved = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t row = draws_.next();
      if (!is_seen_[static_cast<std::size_t>(row)]) ++n_seen_;
      is_seen_[static_cast<std::size_t>(row)] = true;
      moved += sample_.step / n_seen_;
      block.rows.push_back(row);
      block.moved.push_back(moved);
    }
    if (sample_.among_rows.defined()) {
      block.among.resize(block.rows.size() * block.rows.size());
    } else {
      const at::Tensor rows = sample_.rows.index_select(0, at::tensor(block.rows, at::kLong));
      const at::Tensor made = at::mm(rows, rows.t());
      block.among = {made.const_data_ptr<double>(), made.const_data_ptr<double>() + made.numel()};
    }
    return block;
  }

  // Moves weights and sums of gradients behind the block before, and finds how they move behind
  // this one. An empty block moves nothing.
  void take(Block block) {
    const std::int64_t n_features = sample_.rows.size(1);
    const std::int64_t n_parts = (n_features + kFeaturesAtOnce - 1) / kFeaturesAtOnce;
    const auto n_sums = static_cast<std::int64_t>(block.rows.size()) * 2 * n_padded_;
    sums_.resize(static_cast<std::size_t>(n_parts * n_sums));
    double* state = state_.mutable_data_ptr<double>();
    at::parallel_for(0, n_parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t part = begin; part < end; ++part) {
        const std::int64_t first = part * kFeaturesAtOnce;
        const std::int64_t n = std::min(kFeaturesAtOnce, n_features - first);
        double* from_first = state + first * 2 * n_padded_;
        move(first, n, from_first);
        multiply_rows(rows_from(block, first), n, from_first, 2 * n_padded_,
                      sums_.data() + part * n_sums);
        if (sample_.among_rows.defined()) find_among(block, part, n_parts);
      }
    });
    add_up(sums_.data(), n_parts, n_sums);
    find_moves(block);
    block_ = std::move(block);
  }

  // The features from `first` on, which the state has here, behind the block before.
  void move(std::int64_t first, std::int64_t n_features, double* state) const {
    if (block_.rows.empty()) return;
    const double length = block_.moved.back();
    for (std::int64_t f = 0; f < n_features; ++f) {
      double* of_weights = state + f * 2 * n_padded_;
      const double* of_sums = of_weights + n_padded_;
      for (std::int64_t k = 0; k < n_padded_; ++k) of_weights[k] -= length * of_sums[k];
    }
    add_rows(rows_from(block_, first), n_features, moves_.data(), 2 * n_padded_, state);
  }

  std::vector<const double*> rows_from(const Block& block, std::int64_t first) const {
    std::vector<const double*> rows;
    for (const std::int64_t row : block.rows) {
      rows.push_back(sample_.rows.const_data_ptr<double>() + row * sample_.rows.size(1) + first);
    }
    return rows;
  }

  // One part of the rows' products with those before.
  void find_among(Block& block, std::int64_t part, std::int64_t n_parts) const {
    const auto n = block.rows.size();
    const double* known = sample_.among_rows.const_data_ptr<double>();
    const std::int64_t n_rows = sample_.rows.size(0);
    for (auto i = static_cast<std::size_t>(part); i < n; i += static_cast<std::size_t>(n_parts)) {
      for (std::size_t k = 0; k < i; ++k) {
        const auto [lower, upper] = std::minmax(block.rows[i], block.rows[k]);
        block.among[i * n + k] = known[upper * n_rows + lower];
      }
    }
  }

  // What each row of the block adds to weights and sums of gradients.
  void find_moves(const Block& block) {
    const auto n = block.rows.size();
    const auto n_columns = static_cast<std::size_t>(n_padded_);
    std::vector<double> changes(n * n_columns);  // [n][n_columns]
    std::vector<double> now(n_columns);
    std::vector<double> factors(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double moved = i == 0 ? 0.0 : block.moved[i - 1];
      const double* of_weights = sums_.data() + i * 2 * n_columns;
      const double* of_sums = of_weights + n_columns;
      for (std::size_t k = 0; k < n_columns; ++k) now[k] = of_weights[k] - moved * of_sums[k];
      for (std::size_t earlier = 0; earlier < i; ++earlier) {
        factors[earlier] =
            block.among[i * n + earlier] * (sample_.step + moved - block.moved[earlier]);
      }
      subtract_rows(changes.data(), factors.data(), static_cast<std::int64_t>(i), n_padded_,
                    now.data());
      for (Fit& fit : fits_) {
        fit.take(block.rows[i], now.data(), sample_.step, block.moved[i] - moved,
                 changes.data() + i * n_columns);
      }
    }
    moves_.resize(n * 2 * n_columns);
    for (std::size_t i = 0; i < n; ++i) {
      const double length = block.moved[i] - (block.moved.back() + sample_.step);
      for (std::size_t k = 0; k < n_columns; ++k) {
        moves_[i * 2 * n_columns + k] = changes[i * n_columns + k] * length;
        moves_[(i * 2 + 1) * n_columns + k] = changes[i * n_columns + k];
      }
    }
  }

  // [n_columns][n_features]
  at::Tensor weights() const {
    return state_.select(1, 0).narrow(1, 0, n_columns_).t().contiguous();
  }

  // At the end of an epoch: lets go of the fits that are done.
  void finish(std::int64_t epoch, std::span<Regression> found) {
    const at::Tensor of_columns = weights();
    const at::Tensor changes = (of_columns - earlier_weights_).abs().amax(1);
    const at::Tensor largest = of_columns.abs().amax(1);
    std::vector<std::int64_t> kept;  // columns
    std::size_t n_kept = 0;          // fits
    for (std::size_t i = 0; i < fits_.size(); ++i) {
      const auto first = static_cast<std::int64_t>(fits_[i].first_column());
      const auto n = static_cast<std::int64_t>(fits_[i].n_columns());
      const bool has_settled = is_still(changes.narrow(0, first, n).max().item<double>(),
                                        largest.narrow(0, first, n).max().item<double>());
      if (has_settled || epoch == options_.max_epochs) {
        const at::Tensor own = of_columns.narrow(0, first, n).contiguous();
        const double* begin = own.const_data_ptr<double>();
        found[places_[i]] = {
            {begin, begin + own.numel()}, fits_[i].intercepts(), epoch, has_settled};
        continue;
      }
      fits_[i].move_to_column(kept.size());
      for (std::int64_t column = first; column < first + n; ++column) kept.push_back(column);
      if (n_kept != i) fits_[n_kept] = std::move(fits_[i]);
      places_[n_kept++] = places_[i];
    }
    fits_.erase(fits_.begin() + static_cast<std::ptrdiff_t>(n_kept), fits_.end());
    keep(kept);
    earlier_weights_ = weights();
  }

  void keep(const std::vector<std::int64_t>& columns) {
    const auto n = static_cast<std::int64_t>(columns.size());
    if (n == n_columns_) return;
    const at::Tensor kept = state_.index_select(2, at::tensor(columns, at::kLong));
    n_columns_ = n;
    n_padded_ = padded(n);
    state_ = at::zeros({state_.size(0), 2, n_padded_}, at::kDouble);
    state_.narrow(2, 0, n).copy_(kept);
  }

  bool is_still(double change, double largest) const {
    if (!std::isfinite(change) || !std::isfinite(largest)) {
      throw DataError("the weights of a regression overflowed; are the hidden states finite?");
    }
    return largest != 0 ? change / largest <= options_.tolerance : change == 0;
  }

  const Sample& sample_;
  SagaOptions options_;
  RowDraws draws_;
  std::vector<bool> is_seen_;
  double n_seen_ = 0;
  std::vector<Fit> fits_;            // those that are not done
  std::vector<std::size_t> places_;  // of their results
  std::int64_t n_columns_ = 0;
  std::int64_t n_padded_ = 0;
  at::Tensor state_;            // [n_features][2][n_padded]: weights, sums of gradients
  at::Tensor earlier_weights_;  // [n_columns][n_features], at the end of the epoch before
  Block block_;                 // that the state has not moved behind yet
  std::vector<double> moves_;   // [n][2][n_padded], of that block
  std::vector<double> sums_;    // [n_parts][n][2][n_padded], products of rows and state
};

}  // namespace

std::vector<Regression> fit_saga(const Rows& rows,
                                 std::span<const Targets> targets,
                                 const SagaOptions& options,
                                 const SolverProgress& progress) {
  LABELPROBE_CHECK(rows.n_rows > 0 && options.max_epochs > 0);
  std::vector<Regression> found(targets.size());
  const Sample sample(rows, options.max_known_rows);
  Company(sample, targets, options).run(progress, found);
  return found;
}

}  // namespace labelprobe::training
