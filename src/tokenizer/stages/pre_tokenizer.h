// The splitting of a text into the pieces that no token crosses: the "pre_tokenizer" of
// tokenizer.json. The mapping of bytes to printable characters that the format's ByteLevel also
// does is not needed here: vocabularies are turned back into bytes when they are loaded.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tokenizer/text/aligned_text.h"
#include "tokenizer/text/regex.h"

namespace labelprobe::tokenizer {

// What becomes of the matches of a split, in the format's words.
enum class SplitBehavior { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };

enum class SplitOn { Matches, Gaps };  // Gaps: the format's "invert"

// Exactly one of `text` and `regex` says where to split.
struct Split {
  std::string text;
  std::shared_ptr<const Regex> regex;
  SplitBehavior behavior = SplitBehavior::Isolated;
  SplitOn split_on = SplitOn::Matches;
};

enum class DigitGroups { Single, Runs };

struct Digits {
  DigitGroups groups = DigitGroups::Runs;
};

// A space before every piece that has none; comes from ByteLevel's add_prefix_space.
struct PrefixSpace {};

enum class PrependScheme { Always, First, Never };

// Spaces become `replacement`, which by the scheme also begins the text.
struct Metaspace {
  std::string replacement;
  PrependScheme prepend = PrependScheme::Always;
  bool splits = true;
};

// The format's BertPreTokenizer: white space goes, punctuation marks stand alone.
struct BertWords {};

using PreTokenizer = std::variant<Split, Digits, PrefixSpace, Metaspace, BertWords>;

// A text and its pieces, in order, none empty; bytes between pieces are dropped.
struct Pieces {
  AlignedText text;
  std::vector<Range> ranges;
};

// Applies all in order, each to the pieces of the one before.
Pieces pre_tokenize(AlignedText text, const std::vector<PreTokenizer>& pre_tokenizers);

}  // namespace labelprobe::tokenizer
