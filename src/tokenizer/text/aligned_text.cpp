#include "tokenizer/text/aligned_text.h"

#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::tokenizer {

AlignedText AlignedText::part(Range range) const {
  const std::size_t n_bytes = range.end - range.begin;
  if (!is_rewritten_) {
    return {original_.substr(range.begin, n_bytes), base_ + range.begin, tracking_};
  }
  const bool is_tracked = tracking_ == Tracking::On && n_bytes > 0;
  AlignedText part(original_, is_tracked ? source(range).begin : base_ + range.begin, tracking_);
  part.is_rewritten_ = true;
  part.rewritten_ = rewritten_.substr(range.begin, n_bytes);
  if (is_tracked) {
    const auto first = sources_.begin() + static_cast<std::ptrdiff_t>(range.begin);
    part.sources_.assign(first, first + static_cast<std::ptrdiff_t>(n_bytes));
  }
  return part;
}

Rewriter::Rewriter(const AlignedText& from)
    : from_(from),
      next_(from.original_, from.base_, from.tracking_),
      n_most_bytes_(
          std::max(limits::kNormalizedBytes, limits::kNormalizedTimes * from.original_.size())) {
  next_.is_rewritten_ = true;
  next_.rewritten_.reserve(from.bytes().size() + from.bytes().size() / 4 + 8);
}

void Rewriter::keep(Range range) {
  next_.rewritten_.append(from_.bytes(), range.begin, range.end - range.begin);
  if (next_.tracking_ == Tracking::On) {
    for (std::size_t i = range.begin; i < range.end; ++i) {
      next_.sources_.push_back(from_.source({i, i + 1}));
    }
  }
}

void Rewriter::put(std::string_view bytes, Range replaced) {
  if (bytes.size() > n_most_bytes_ - std::min(n_most_bytes_, next_.rewritten_.size())) {
    throw ModelError(fmt::format(
        "the tokenizer's normalizers make more than {} bytes out of a text of {}; expected at most "
        "{} times its length",
        n_most_bytes_, next_.original_.size(), limits::kNormalizedTimes));
  }
  next_.rewritten_.append(bytes);
  if (next_.tracking_ == Tracking::Off) {
    return;
  }
  Range source{};
  if (replaced.begin < replaced.end) {
    source = from_.source(replaced);
  } else if (replaced.begin > 0) {
    source.begin = source.end = from_.source({replaced.begin - 1, replaced.begin}).end;
  } else {
    source.begin = source.end = from_.base_;
  }
  next_.sources_.insert(next_.sources_.end(), bytes.size(), source);
}

}  // namespace labelprobe::tokenizer
