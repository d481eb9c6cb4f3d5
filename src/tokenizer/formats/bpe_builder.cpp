#include "tokenizer/formats/bpe_builder.h"

#include <algorithm>
#include <string>

#include "labelprobe/core/utf8.h"

#include "tokenizer/stages/decoder.h"

namespace labelprobe::tokenizer {

BpeBuilder::BpeBuilder(BpeUnits units, std::size_t n_tokens) : units_(units) {
  written_.reserve(n_tokens);
  entries_.reserve(n_tokens);
  ids_.reserve(n_tokens);
}

bool BpeBuilder::add_token(std::string_view written, TokenId id) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= entries_.size()) {
    entries_.resize(at + 1);
    written_.resize(at + 1);
  }
  BpeEntry& entry = entries_[at];
  if (entry.has_text) {
    return false;
  }
  written_[at] = written;
  entry.has_text = true;
  entry.is_matched = ids_.emplace(written, id).second;
  if (units_ == BpeUnits::Bytes) {
    // A token with a character that stands for no byte, such as a space, is never met in a text.
    bool is_all_printable = true;
    entry.text = bytes_of_printable(written, &is_all_printable);
    entry.is_matched = entry.is_matched && is_all_printable;
  } else {
    entry.text = written;
  }
  return true;
}

std::optional<TokenId> BpeBuilder::find(std::string_view written) const {
  const auto found = ids_.find(written);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void BpeBuilder::hide(TokenId id) {
  const auto at = static_cast<std::size_t>(id);
  entries_[at].is_matched = false;
  const auto found = ids_.find(written_[at]);
  if (found != ids_.end() && found->second == id) {
    ids_.erase(found);
  }
}

bool BpeBuilder::add_merge(std::string_view left, std::string_view right, std::uint32_t rank) {
  const auto left_id = find(left);
  const auto right_id = find(right);
  std::string both;
  both.reserve(left.size() + right.size());
  both.append(left).append(right);
  const auto merged = find(both);
  if (!left_id || !right_id || !merged) {
    return false;
  }
  merges_.push_back({*left_id, *right_id, *merged, rank});
  return true;
}

void BpeBuilder::add_merges_by_score(const std::vector<double>& token_scores) {
  std::vector<double> distinct = token_scores;
  std::sort(distinct.begin(), distinct.end(), std::greater<>());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const auto& [written, id] : ids_) {
    if (byte_of_token(written) >= 0) {
      continue;
    }
    const auto rank = static_cast<std::uint32_t>(
        std::lower_bound(distinct.begin(), distinct.end(),
                         token_scores[static_cast<std::size_t>(id)], std::greater<>()) -
        distinct.begin());
    for (std::size_t at = 0; at < written.size(); at += length_at(written, at)) {
      const auto left = find(written.substr(0, at));
      const auto right = find(written.substr(at));
      if (at > 0 && left && right) {
        merges_.push_back({*left, *right, id, rank});
      }
    }
  }
}

std::unique_ptr<const Bpe> BpeBuilder::build(BpeOptions options) {
  options.units = units_;
  ids_.clear();
  return std::make_unique<const Bpe>(std::move(entries_), merges_, options);
}

}  // namespace labelprobe::tokenizer
