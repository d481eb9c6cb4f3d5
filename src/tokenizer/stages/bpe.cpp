#include "tokenizer/stages/bpe.h"

#include <algorithm>
#include <queue>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "tokenizer/stages/word_cache.h"

namespace labelprobe::tokenizer {

namespace {

// Up to here looking through all pairs beats keeping a heap of them.
constexpr std::size_t kMaxScanned = 48;

// The pair that begins at each symbol, beside the symbols.
void merge_by_scanning(const PairTable& pairs, std::vector<PieceToken>& tokens, std::size_t first) {
  std::array<PairTable::Found, kMaxScanned> found;
  PieceToken* symbols = tokens.data() + first;
  std::size_t n = tokens.size() - first;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    found[i] = pairs.find(symbols[i].id, symbols[i + 1].id);
  }
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i) {
      if (found[i].rank < found[best].rank) {
        best = i;
      }
    }
    if (found[best].rank == PairTable::kNoRank) {
      break;
    }
    symbols[best] = {found[best].merged, symbols[best].n_bytes + symbols[best + 1].n_bytes};
    std::copy(symbols + best + 2, symbols + n, symbols + best + 1);
    if (best + 2 < n) {
      std::copy(found.begin() + best + 2, found.begin() + (n - 1), found.begin() + best + 1);
    }
    --n;
    if (best > 0) {
      found[best - 1] = pairs.find(symbols[best - 1].id, symbols[best].id);
    }
    if (best + 1 < n) {
      found[best] = pairs.find(symbols[best].id, symbols[best + 1].id);
    }
  }
  tokens.resize(first + n);
}

struct Candidate {
  std::uint32_t rank;
  std::uint32_t left;
  TokenId left_id;  // both ids as they were: if either has changed, the candidate is stale
  TokenId right_id;
  TokenId merged;

  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

// Symbols in a doubly linked list, candidates in a heap: for long pieces.
class HeapMerger {
 public:
  HeapMerger(const PairTable& pairs, PieceToken* symbols, std::size_t n)
      : pairs_(pairs), symbols_(symbols), next_(n), previous_(n) {
    for (std::size_t i = 0; i < n; ++i) {
      next_[i] = static_cast<std::uint32_t>(i + 1);
      previous_[i] = static_cast<std::uint32_t>(i - 1);
    }
    for (std::size_t i = 0; i + 1 < n; ++i) {
      push(static_cast<std::uint32_t>(i));
    }
  }

  // Returns how many symbols are left, at the front of the array.
  std::size_t run() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      if (symbols_[best.left].id == best.left_id && is_current(best)) {
        join(best);
      }
    }
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < next_.size(); i = next_[i]) {
      symbols_[n_left++] = symbols_[i];
    }
    return n_left;
  }

 private:
  static constexpr TokenId kGone = -2;

  bool is_current(const Candidate& candidate) const {
    const std::uint32_t right = next_[candidate.left];
    return right < next_.size() && symbols_[right].id == candidate.right_id;
  }

  void push(std::uint32_t left) {
    const std::uint32_t right = next_[left];
    if (right >= next_.size()) {
      return;
    }
    const auto found = pairs_.find(symbols_[left].id, symbols_[right].id);
    if (found.rank != PairTable::kNoRank) {
      candidates_.push({found.rank, left, symbols_[left].id, symbols_[right].id, found.merged});
    }
  }

  void join(const Candidate& candidate) {
    const std::uint32_t left = candidate.left;
    const std::uint32_t right = next_[left];
    symbols_[left] = {candidate.merged, symbols_[left].n_bytes + symbols_[right].n_bytes};
    symbols_[right].id = kGone;
    next_[left] = next_[right];
    if (next_[left] < next_.size()) {
      previous_[next_[left]] = left;
    }
    if (left > 0) {
      push(previous_[left]);
    }
    push(left);
  }

  const PairTable& pairs_;
  PieceToken* symbols_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> previous_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

// Units of a piece. The reference drops what has no token and no unknown token to stand for it;
// such bytes count for a neighbour here, so that the tokens still cover the piece.
class Bpe::UnitList {
 public:
  explicit UnitList(std::vector<PieceToken>& units) : units_(units), first_(units.size()) {}

  void add(TokenId id, std::uint32_t n_bytes) {
    units_.push_back({id, n_bytes + n_dropped_});
    n_dropped_ = 0;
  }
  void extend(std::uint32_t n_bytes) { units_.back().n_bytes += n_bytes; }
  void drop(std::uint32_t n_bytes) {
    if (units_.size() > first_) {
      extend(n_bytes);
    } else {
      n_dropped_ += n_bytes;
    }
  }

 private:
  std::vector<PieceToken>& units_;
  std::size_t first_;
  std::uint32_t n_dropped_ = 0;
};

Bpe::Bpe(std::vector<BpeEntry> entries,
         const std::vector<BpeMerge>& merges,
         const BpeOptions& options)
    : entries_(std::move(entries)),
      pairs_(merges.size()),
      options_(options),
      serial_(WordCache::next_serial()) {
  ids_.reserve(entries_.size());
  for (std::size_t id = 0; id < entries_.size(); ++id) {
    if (entries_[id].is_matched) {
      ids_.emplace(entries_[id].text, static_cast<TokenId>(id));
    }
  }
  for (const BpeMerge& merge : merges) {
    pairs_.insert(merge.left, merge.right, {merge.rank, merge.merged});
    merged_ids_.push_back(merge.merged);
  }
  constexpr char kHex[] = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string name = options_.units == BpeUnits::Bytes
                                 ? std::string(1, static_cast<char>(byte))
                                 : fmt::format("{}{}{}>", "<0x", kHex[byte / 16], kHex[byte % 16]);
    byte_ids_[static_cast<std::size_t>(byte)] = find(name).value_or(-1);
  }
}

std::optional<TokenId> Bpe::find(std::string_view text) const {
  const auto found = ids_.find(text);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* Bpe::text(TokenId id) const {
  if (id < 0 || id >= n_ids() || !entries_[static_cast<std::size_t>(id)].has_text) {
    return nullptr;
  }
  return &entries_[static_cast<std::size_t>(id)].text;
}

bool Bpe::may_cut_before(std::string_view mark) const {
  if (options_.ignore_merges || !find(mark)) {
    return false;
  }
  for (const TokenId id : merged_ids_) {
    const std::string& text = entries_[static_cast<std::size_t>(id)].text;
    for (std::size_t at = text.find(mark, 1); at != std::string::npos;
         at = text.find(mark, at + 1)) {
      if (at < mark.size() || text.compare(at - mark.size(), mark.size(), mark) != 0) {
        return false;
      }
    }
  }
  return true;
}

void Bpe::encode(std::string_view piece, std::vector<PieceToken>& tokens) const {
  thread_local WordCache cache(/*log2_entries=*/14);
  WordCache::Entry* entry = cache.entry_for(serial_, piece);
  if (entry == nullptr) {
    return encode_uncached(piece, tokens);
  }
  if (entry->holds(serial_, piece)) {
    return entry->append_to(tokens);
  }
  const std::size_t first = tokens.size();
  encode_uncached(piece, tokens);
  entry->store(serial_, piece, tokens, first);
}

void Bpe::encode_uncached(std::string_view piece, std::vector<PieceToken>& tokens) const {
  if (options_.ignore_merges) {
    if (const auto whole = find(piece)) {
      tokens.push_back({*whole, static_cast<std::uint32_t>(piece.size())});
      return;
    }
  }
  const std::size_t first = tokens.size();
  if (options_.units == BpeUnits::Bytes) {
    append_bytes(piece, UnitList(tokens));
  } else {
    append_characters(piece, UnitList(tokens));
  }
  const std::size_t n = tokens.size() - first;
  if (n <= kMaxScanned) {
    merge_by_scanning(pairs_, tokens, first);
  } else {
    tokens.resize(first + HeapMerger(pairs_, tokens.data() + first, n).run());
  }
}

void Bpe::append_bytes(std::string_view piece, UnitList units) const {
  for (const char c : piece) {
    const TokenId id = byte_id(c);
    if (id >= 0) {
      units.add(id, 1);
    } else if (options_.unk_id) {
      units.add(*options_.unk_id, 1);
    } else {
      units.drop(1);
    }
  }
}

void Bpe::append_characters(std::string_view piece, UnitList units) const {
  bool was_unknown = false;
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view character = piece.substr(at, length_at(piece, at));
    const auto n_bytes = static_cast<std::uint32_t>(character.size());
    at += character.size();
    const auto id = find(character);
    const bool has_bytes =
        !id && options_.byte_fallback &&
        std::all_of(character.begin(), character.end(), [&](char c) { return byte_id(c) >= 0; });
    const bool is_unknown = !id && !has_bytes;
    if (id) {
      units.add(*id, n_bytes);
    } else if (has_bytes) {
      for (const char c : character) {
        units.add(byte_id(c), 1);
      }
    } else if (!options_.unk_id) {
      units.drop(n_bytes);
    } else if (was_unknown && options_.fuse_unk) {
      units.extend(n_bytes);
    } else {
      units.add(*options_.unk_id, n_bytes);
    }
    was_unknown = is_unknown;
  }
}

}  // namespace labelprobe::tokenizer
