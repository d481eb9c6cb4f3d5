#include "training/demux/paired_texts.h"

#include <algorithm>
#include <limits>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::training {

namespace {

using tokenizer::SpecialTokens;
using tokenizer::Tokenizer;

void append(TokenIds& ids, const TokenIds& more) {
  ids.insert(ids.end(), more.begin(), more.end());
}

std::vector<std::vector<std::int64_t>> find_positions(const TokenIds& head,
                                                      const Tokenizer& tokenizer,
                                                      const LabelSet& labels) {
  std::vector<bool> is_used(head.size(), false);
  std::vector<std::vector<std::int64_t>> positions;
  for (const std::string& name : labels.names()) {
    std::vector<std::int64_t> own;
    for (const TokenId piece : tokenizer.encode(name, SpecialTokens::Omit)) {
      std::size_t at = 0;
      while (at < head.size() && (head[at] != piece || is_used[at])) ++at;
      if (at == head.size()) {
        throw ModelError(
            fmt::format("label '{}': expected its word piece '{}' among the label names '{}', "
                        "found none that is free",
                        name, tokenizer.token_bytes(piece), fmt::join(labels.names(), ", ")));
      }
      is_used[at] = true;
      own.push_back(static_cast<std::int64_t>(at));
    }
    if (own.empty()) {
      throw ModelError(fmt::format("label '{}': expected word pieces, found none", name));
    }
    positions.push_back(std::move(own));
  }
  return positions;
}

}  // namespace

PairMaker make_pairs(const Tokenizer& tokenizer, const LabelSet& labels, int max_length) {
  const auto frame = tokenizer.pair_frame();
  if (!frame) {
    throw ModelError(
        "tokenizer: expected one that joins two texts as BERT does ([CLS] A [SEP] B [SEP], B of "
        "type 1), found another");
  }
  const auto pad = tokenizer.pad_id();
  if (!pad) {
    throw ModelError(
        "tokenizer: expected a token for padding (pad_token in tokenizer_config.json), found none");
  }
  PairMaker maker;
  maker.head = frame->before;
  append(maker.head,
         tokenizer.encode(fmt::format("{}", fmt::join(labels.names(), ", ")), SpecialTokens::Omit));
  append(maker.head, frame->between);
  maker.tail = frame->behind;
  maker.pad = *pad;
  maker.max_length = max_length;
  const std::size_t n_least = maker.head.size() + maker.tail.size() + 1;
  if (static_cast<std::size_t>(max_length) < n_least) {
    throw ConfigError(fmt::format(
        "--max-length: expected {} or more, for the names of {} labels take {} tokens of every "
        "sequence, found {}",
        n_least, labels.size(), n_least - 1, max_length));
  }
  maker.positions = find_positions(maker.head, tokenizer, labels);
  return maker;
}

PairedTexts pair_texts(const PairMaker& maker,
                       const Tokenizer& tokenizer,
                       std::span<const std::string> texts) {
  PairedTexts result;
  const std::size_t n_room =
      static_cast<std::size_t>(maker.max_length) - maker.head.size() - maker.tail.size();
  for (const std::string& text : texts) {
    TokenIds ids = tokenizer.encode(text, SpecialTokens::Omit);
    if (ids.size() > n_room) {
      ids.resize(n_room);
      ++result.n_cut;
    }
    append(ids, maker.tail);
    result.tails.push_back(std::move(ids));
  }
  return result;
}

PairBatch make_batch(const PairMaker& maker,
                     const PairedTexts& texts,
                     std::span<const int> members,
                     at::Device device) {
  std::size_t longest = 0;
  for (const int member : members) {
    longest = std::max(longest, texts.tails[static_cast<std::size_t>(member)].size());
  }
  const auto n = static_cast<std::int64_t>(members.size());
  const auto n_head = static_cast<std::int64_t>(maker.head.size());
  const std::int64_t n_tokens = n_head + static_cast<std::int64_t>(longest);
  at::Tensor ids = at::full({n, n_tokens}, maker.pad, at::kLong);
  at::Tensor segments = at::zeros({n, n_tokens}, at::kLong);
  at::Tensor mask = at::full({n, 1, 1, n_tokens}, -std::numeric_limits<float>::infinity());
  auto* id = ids.mutable_data_ptr<std::int64_t>();
  auto* segment = segments.mutable_data_ptr<std::int64_t>();
  auto* added = mask.mutable_data_ptr<float>();
  for (const int member : members) {
    const TokenIds& tail = texts.tails[static_cast<std::size_t>(member)];
    const auto n_own = n_head + static_cast<std::int64_t>(tail.size());
    std::copy(maker.head.begin(), maker.head.end(), id);
    std::copy(tail.begin(), tail.end(), id + n_head);
    std::fill(segment + n_head, segment + n_own, 1);
    std::fill(added, added + n_own, 0.0F);
    id += n_tokens;
    segment += n_tokens;
    added += n_tokens;
  }
  return {ids.to(device), segments.to(device), mask.to(device)};
}

}  // namespace labelprobe::training
