// A text that normalizers rewrite, and for each of its bytes the bytes of the original it came
// from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace labelprobe::tokenizer {

// Bytes [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

enum class Tracking { Off, On };

class AlignedText {
 public:
  // A piece of the original that begins at its byte `base`; the caller keeps it alive.
  AlignedText(std::string_view original, std::size_t base, Tracking tracking)
      : original_(original), base_(base), tracking_(tracking) {}

  std::string_view bytes() const {
    return is_rewritten_ ? std::string_view(rewritten_) : original_;
  }
  // Zero exactly at the beginning of the original.
  std::size_t base() const { return base_; }
  Tracking tracking() const { return tracking_; }

  // Where the bytes of a non-empty `range` came from; for inserted bytes an empty range at the
  // place of insertion. Needs Tracking::On.
  Range source(Range range) const {
    return is_rewritten_ ? Range{sources_[range.begin].begin, sources_[range.end - 1].end}
                         : Range{base_ + range.begin, base_ + range.end};
  }

  // A stretch of this text as a text of its own.
  AlignedText part(Range range) const;

 private:
  friend class Rewriter;

  std::string_view original_;
  std::size_t base_;
  Tracking tracking_;
  bool is_rewritten_ = false;
  std::string rewritten_;
  std::vector<Range> sources_;  // one per rewritten byte, if tracked
};

// Builds the next version of a text, left to right.
class Rewriter {
 public:
  explicit Rewriter(const AlignedText& from);

  void keep(Range range);  // these bytes of the old text, unchanged

  // `bytes` in place of the old text's `replaced`, which may be empty: then they are an insertion.
  // Throws ModelError if the text would be longer than core/limits.h allows: rules that lengthen a
  // text can be followed by others that lengthen what they made.
  void put(std::string_view bytes, Range replaced);

  // How many bytes the new text has so far.
  std::size_t size() const { return next_.rewritten_.size(); }

  AlignedText finish() { return std::move(next_); }

 private:
  const AlignedText& from_;
  AlignedText next_;
  std::size_t n_most_bytes_;
};

}  // namespace labelprobe::tokenizer
