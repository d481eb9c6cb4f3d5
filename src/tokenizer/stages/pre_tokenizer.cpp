#include "tokenizer/stages/pre_tokenizer.h"

#include "labelprobe/core/utf8.h"

#include "tokenizer/text/bert_classes.h"
#include "tokenizer/text/unicode.h"

namespace labelprobe::tokenizer {

namespace {

struct Part {
  Range range;
  bool is_match;
};

bool find_split(const Split& split, std::string_view bytes, std::size_t from, Range* match) {
  if (split.regex) {
    return split.regex->find(bytes, from, match);
  }
  const std::size_t found =
      split.text.empty() ? std::string_view::npos : bytes.find(split.text, from);
  *match = {found, found + split.text.size()};
  return found != std::string_view::npos;
}

void append(std::vector<Range>& ranges, Range range) {
  if (range.begin < range.end) {
    ranges.push_back(range);
  }
}

// Matches and the gaps between them, together the whole piece, into `parts`.
void find_parts(const Split& split, std::string_view bytes, std::vector<Part>& parts) {
  parts.clear();
  std::size_t done = 0;
  std::size_t from = 0;
  Range match;
  while (from <= bytes.size() && find_split(split, bytes, from, &match)) {
    if (done < match.begin) {
      parts.push_back({{done, match.begin}, false});
    }
    parts.push_back({match, true});
    done = match.end;
    const bool is_empty = match.begin == match.end;
    from = !is_empty ? match.end : done < bytes.size() ? done + length_at(bytes, done) : done + 1;
  }
  if (done < bytes.size()) {
    parts.push_back({{done, bytes.size()}, false});
  }
  if (split.split_on == SplitOn::Gaps) {
    for (Part& part : parts) {
      part.is_match = !part.is_match;
    }
  }
}

// Adjacent parts that belong together become one; `joins(previous, next)` says which.
template <class Joins>
void append_joined(const std::vector<Part>& parts,
                   std::size_t base,
                   std::vector<Range>& ranges,
                   Joins joins) {
  for (std::size_t i = 0; i < parts.size();) {
    Range range = parts[i].range;
    std::size_t next = i + 1;
    while (next < parts.size() && joins(parts[next - 1], parts[next])) {
      range.end = parts[next++].range.end;
    }
    append(ranges, {base + range.begin, base + range.end});
    i = next;
  }
}

void append_parts(const Split& split,
                  const std::vector<Part>& parts,
                  std::size_t base,
                  std::vector<Range>& ranges) {
  switch (split.behavior) {
    case SplitBehavior::Isolated:
      return append_joined(parts, base, ranges, [](const Part&, const Part&) { return false; });
    case SplitBehavior::Contiguous:
      return append_joined(parts, base, ranges, [](const Part& previous, const Part& next) {
        return previous.is_match == next.is_match;
      });
    case SplitBehavior::MergedWithPrevious:
      return append_joined(parts, base, ranges, [](const Part& previous, const Part& next) {
        return next.is_match && !previous.is_match;
      });
    case SplitBehavior::MergedWithNext:
      return append_joined(parts, base, ranges, [](const Part& previous, const Part& next) {
        return previous.is_match && !next.is_match;
      });
    case SplitBehavior::Removed:
      for (const Part& part : parts) {
        if (!part.is_match) {
          append(ranges, {base + part.range.begin, base + part.range.end});
        }
      }
  }
}

Pieces apply(Pieces pieces, const Split& split) {
  const std::string_view bytes = pieces.text.bytes();
  std::vector<Range> ranges;
  ranges.reserve(bytes.size() / 4 + pieces.ranges.size());
  std::vector<Part> parts;
  for (const Range& piece : pieces.ranges) {
    find_parts(split, bytes.substr(piece.begin, piece.end - piece.begin), parts);
    append_parts(split, parts, piece.begin, ranges);
  }
  pieces.ranges = std::move(ranges);
  return pieces;
}

Pieces apply(Pieces pieces, const Digits& digits) {
  const std::string_view bytes = pieces.text.bytes();
  std::vector<Range> ranges;
  ranges.reserve(pieces.ranges.size());
  for (const Range& piece : pieces.ranges) {
    std::size_t begin = piece.begin;
    bool was_numeric = false;
    for (std::size_t at = piece.begin; at < piece.end;) {
      const Character character = character_at(bytes, at);
      const bool is_number = is_numeric(character.code);
      const bool is_single = is_number && digits.groups == DigitGroups::Single;
      if (is_number != was_numeric || is_single) {
        append(ranges, {begin, at});
        begin = at;
      }
      was_numeric = is_number;
      at += character.n_bytes;
    }
    append(ranges, {begin, piece.end});
  }
  pieces.ranges = std::move(ranges);
  return pieces;
}

Pieces apply(Pieces pieces, const PrefixSpace&) {
  const std::string_view bytes = pieces.text.bytes();
  Rewriter rewriter(pieces.text);
  std::vector<Range> ranges;
  for (const Range& piece : pieces.ranges) {
    const std::size_t begin = rewriter.size();
    if (bytes[piece.begin] != ' ') {
      rewriter.put(" ", {piece.begin, piece.begin});
    }
    rewriter.keep(piece);
    ranges.push_back({begin, rewriter.size()});
  }
  return {rewriter.finish(), std::move(ranges)};
}

// Splits before every replacement.
void split_before(const std::string& replacement,
                  std::string_view bytes,
                  Range piece,
                  std::vector<Range>& ranges) {
  std::size_t begin = piece.begin;
  for (std::size_t found = bytes.find(replacement, begin + 1); found < piece.end;
       found = bytes.find(replacement, begin + 1)) {
    append(ranges, {begin, found});
    begin = found;
  }
  append(ranges, {begin, piece.end});
}

Pieces apply(Pieces pieces, const Metaspace& metaspace) {
  const std::string_view bytes = pieces.text.bytes();
  Rewriter rewriter(pieces.text);
  std::vector<Range> rewritten;
  for (const Range& piece : pieces.ranges) {
    const std::size_t begin = rewriter.size();
    const std::string_view old = bytes.substr(piece.begin, piece.end - piece.begin);
    const bool has_prefix = old[0] == ' ' || old.starts_with(metaspace.replacement);
    // A text begins where the original does, or right after an added token.
    const bool is_first = piece.begin == 0 && pieces.text.base() == 0;
    if (!has_prefix && (metaspace.prepend == PrependScheme::Always ||
                        (metaspace.prepend == PrependScheme::First && is_first))) {
      rewriter.put(metaspace.replacement, {piece.begin, piece.begin});
    }
    std::size_t kept = piece.begin;
    for (std::size_t at = piece.begin; at < piece.end; ++at) {
      if (bytes[at] == ' ') {
        rewriter.keep({kept, at});
        rewriter.put(metaspace.replacement, {at, at + 1});
        kept = at + 1;
      }
    }
    rewriter.keep({kept, piece.end});
    rewritten.push_back({begin, rewriter.size()});
  }
  Pieces next{rewriter.finish(), {}};
  if (!metaspace.splits) {
    next.ranges = std::move(rewritten);
    return next;
  }
  for (const Range& piece : rewritten) {
    split_before(metaspace.replacement, next.text.bytes(), piece, next.ranges);
  }
  return next;
}

Pieces apply(Pieces pieces, const BertWords&) {
  const std::string_view bytes = pieces.text.bytes();
  std::vector<Range> ranges;
  for (const Range& piece : pieces.ranges) {
    std::size_t begin = piece.begin;
    for (std::size_t at = piece.begin; at < piece.end;) {
      const Character character = character_at(bytes, at);
      const Range own{at, at + character.n_bytes};
      at = own.end;
      const bool is_space = is_white_space(character.code);
      if (is_space || is_bert_punctuation(character.code)) {
        append(ranges, {begin, own.begin});
        begin = own.end;
        if (!is_space) {
          append(ranges, own);
        }
      }
    }
    append(ranges, {begin, piece.end});
  }
  pieces.ranges = std::move(ranges);
  return pieces;
}

}  // namespace

Pieces pre_tokenize(AlignedText text, const std::vector<PreTokenizer>& pre_tokenizers) {
  const std::size_t n_bytes = text.bytes().size();
  Pieces pieces{std::move(text), {}};
  append(pieces.ranges, {0, n_bytes});
  for (const PreTokenizer& pre_tokenizer : pre_tokenizers) {
    pieces =
        std::visit([&](const auto& each) { return apply(std::move(pieces), each); }, pre_tokenizer);
  }
  return pieces;
}

}  // namespace labelprobe::tokenizer
