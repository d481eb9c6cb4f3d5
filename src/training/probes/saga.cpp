#include "training/probes/saga.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/numpy_random.h"

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

// Rows that are taken together, so that products of matrices do most of the work: few where the
// products of the rows with each other have to be made anew each time.
constexpr std::int64_t kRowsPerStep = 16;
constexpr std::int64_t kKnownRowsAtOnce = 64;

at::Tensor tensor_of(const Rows& rows) {
  return at::from_blob(const_cast<double*>(rows.numbers), {rows.n_rows, rows.n_features},
                       at::TensorOptions(at::kDouble));
}

// What all fits have in common.
struct Sample {
  at::Tensor rows;
  at::Tensor among_rows;  // [n_rows][n_rows], products of rows with each other; or undefined
  double step = 0;

  Sample(const Rows& given, std::int64_t max_known_rows) : rows(tensor_of(given)) {
    if (given.n_rows <= max_known_rows) among_rows = at::mm(rows, rows.t());
    const double largest = rows.square().sum(1).max().item<double>();
    step = 1.0 / (2.0 * 0.25 * (largest + 1.0));
  }
};

// The rows of a block, which were drawn one after the other, and the sum of the mean steps up to
// and with each: as far as the weights have moved along the sum of gradients.
struct Block {
  std::vector<std::int64_t> rows;
  std::vector<double> moved;
};

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

// The fits of one thread, which take the same rows.
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
    std::size_t n_columns = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      fits_.emplace_back(targets[i], n_columns);
      places_[i] = i;
      n_columns += fits_.back().n_columns();
    }
    const auto n = static_cast<std::int64_t>(n_columns);
    state_ = at::zeros({2, n, sample.rows.size(1)}, at::kDouble);
    earlier_weights_ = state_[0].clone();
  }

  void run(const SolverProgress& progress, std::span<Regression> found) {
    for (std::int64_t epoch = 1; epoch <= options_.max_epochs && !fits_.empty(); ++epoch) {
      if (progress) progress(epoch, fits_.size());
      const std::int64_t n_rows = sample_.rows.size(0);
      const std::int64_t at_once = sample_.among_rows.defined() ? kKnownRowsAtOnce : kRowsPerStep;
      for (std::int64_t first = 0; first < n_rows; first += at_once) {
        take(draw(std::min(at_once, n_rows - first)));
      }
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
    return block;
  }

  void take(const Block& block) {
    const auto n = static_cast<std::int64_t>(block.rows.size());
    const at::Tensor places = at::from_blob(const_cast<std::int64_t*>(block.rows.data()), {n},
                                            at::TensorOptions(at::kLong));
    const at::Tensor rows = sample_.rows.index_select(0, places);
    at::Tensor state = state_.view({2 * state_.size(1), -1});
    const at::Tensor products = at::mm(rows, state.t());
    const std::vector<double> among = among_rows(block, rows);
    const at::Tensor moves = moves_of(block, products, among);
    state_[0].sub_(state_[1], block.moved.back());
    state.addmm_(moves, rows);
  }

  // Products of the block's rows with those before: [n][n], the lower half.
  std::vector<double> among_rows(const Block& block, const at::Tensor& rows) const {
    const auto n = block.rows.size();
    if (!sample_.among_rows.defined()) {
      const at::Tensor made = at::mm(rows, rows.t());
      return {made.const_data_ptr<double>(), made.const_data_ptr<double>() + made.numel()};
    }
    std::vector<double> among(n * n);
    for (std::size_t i = 0; i < n; ++i) {
      const double* of_row =
          sample_.among_rows.const_data_ptr<double>() + block.rows[i] * sample_.rows.size(0);
      for (std::size_t k = 0; k < i; ++k) among[i * n + k] = of_row[block.rows[k]];
    }
    return among;
  }

  // What each row of the block adds to weights and sums of gradients: [2 n_columns][n].
  at::Tensor moves_of(const Block& block,
                      const at::Tensor& products,
                      const std::vector<double>& among) {
    const auto n = block.rows.size();
    const auto n_columns = static_cast<std::size_t>(state_.size(1));
    const double* at_beginning = products.const_data_ptr<double>();
    std::vector<double> changes(n * n_columns);  // [n][n_columns]
    std::vector<double> now(n_columns);
    for (std::size_t i = 0; i < n; ++i) {
      const double moved = i == 0 ? 0.0 : block.moved[i - 1];
      const double* of_weights = at_beginning + i * 2 * n_columns;
      const double* of_sums = of_weights + n_columns;
      for (std::size_t k = 0; k < n_columns; ++k) now[k] = of_weights[k] - moved * of_sums[k];
      for (std::size_t earlier = 0; earlier < i; ++earlier) {
        const double factor =
            among[i * n + earlier] * (sample_.step + moved - block.moved[earlier]);
        const double* change = changes.data() + earlier * n_columns;
        for (std::size_t k = 0; k < n_columns; ++k) now[k] -= factor * change[k];
      }
      for (Fit& fit : fits_) {
        fit.take(block.rows[i], now.data(), sample_.step, block.moved[i] - moved,
                 changes.data() + i * n_columns);
      }
    }
    const auto rows = static_cast<std::int64_t>(n);
    const at::Tensor by_row =
        at::from_blob(changes.data(), {rows, state_.size(1)}, at::TensorOptions(at::kDouble));
    const at::Tensor lengths =
        at::tensor(block.moved, at::kDouble).sub_(block.moved.back() + sample_.step).unsqueeze(1);
    return at::cat({by_row * lengths, by_row}, 1).t().contiguous();
  }

  // At the end of an epoch: lets go of the fits that are done.
  void finish(std::int64_t epoch, std::span<Regression> found) {
    const at::Tensor weights = state_[0];
    const at::Tensor changes = (weights - earlier_weights_).abs().amax(1);
    const at::Tensor largest = weights.abs().amax(1);
    std::vector<std::int64_t> kept;  // columns
    std::size_t n_kept = 0;          // fits
    for (std::size_t i = 0; i < fits_.size(); ++i) {
      const auto first = static_cast<std::int64_t>(fits_[i].first_column());
      const auto n = static_cast<std::int64_t>(fits_[i].n_columns());
      const bool has_settled = is_still(changes.narrow(0, first, n).max().item<double>(),
                                        largest.narrow(0, first, n).max().item<double>());
      if (has_settled || epoch == options_.max_epochs) {
        const at::Tensor own = weights.narrow(0, first, n).contiguous();
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
    if (static_cast<std::int64_t>(kept.size()) < state_.size(1)) {
      state_ = state_.index_select(1, at::tensor(kept, at::kLong));
    }
    earlier_weights_ = state_[0].clone();
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
  at::Tensor state_;                 // [2][n_columns][n_features]: weights, sums of gradients
  at::Tensor earlier_weights_;       // [n_columns][n_features], at the end of the epoch before
};

}  // namespace

std::vector<Regression> fit_saga(const Rows& rows,
                                 std::span<const Targets> targets,
                                 const SagaOptions& options,
                                 const SolverProgress& progress) {
  LABELPROBE_CHECK(rows.n_rows > 0 && options.max_epochs > 0);
  std::vector<Regression> found(targets.size());
  const Sample sample(rows, options.max_known_rows);
  const auto n = static_cast<std::int64_t>(targets.size());
  const std::int64_t n_each = (n + at::get_num_threads() - 1) / at::get_num_threads();
  at::parallel_for(
      0, n, std::max<std::int64_t>(1, n_each), [&](std::int64_t begin, std::int64_t end) {
        const auto first = static_cast<std::size_t>(begin);
        const auto count = static_cast<std::size_t>(end - begin);
        Company(sample, targets.subspan(first, count), options)
            .run(begin == 0 ? progress : nullptr, std::span(found).subspan(first, count));
      });
  return found;
}

}  // namespace labelprobe::training
