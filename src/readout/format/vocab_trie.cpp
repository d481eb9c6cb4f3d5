#include "readout/format/vocab_trie.h"

#include <algorithm>
#include <string>
#include <utility>

namespace labelprobe::readout {

VocabTrie::VocabTrie(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> left_out)
    : nodes_(1) {
  std::vector<std::pair<std::string, TokenId>> sorted;
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    if (std::find(left_out.begin(), left_out.end(), id) != left_out.end()) continue;
    std::string bytes = tokenizer.token_bytes(id);
    if (!bytes.empty()) sorted.emplace_back(std::move(bytes), id);
  }
  std::sort(sorted.begin(), sorted.end());

  std::vector<int> path = {kRoot};          // nodes of the bytes of the token at hand
  std::vector<int> newest_child = {kNone};  // by depth, of path
  std::string before;
  for (const auto& [bytes, id] : sorted) {
    const auto n_same = static_cast<std::size_t>(
        std::mismatch(bytes.begin(), bytes.end(), before.begin(), before.end()).first -
        bytes.begin());
    path.resize(n_same + 1);
    newest_child.resize(n_same + 1);
    for (std::size_t i = n_same; i < bytes.size(); ++i) {
      const auto made = static_cast<int>(nodes_.size());
      Node node;
      node.byte = static_cast<unsigned char>(bytes[i]);
      node.begin = node.end = static_cast<std::int32_t>(tokens_.size());
      nodes_.push_back(node);
      if (newest_child[i] == kNone) {
        nodes_[static_cast<std::size_t>(path[i])].first_child = made;
      } else {
        nodes_[static_cast<std::size_t>(newest_child[i])].next_sibling = made;
      }
      newest_child[i] = made;
      path.push_back(made);
      newest_child.push_back(kNone);
    }
    tokens_.push_back(id);
    for (const int of_path : path) ++nodes_[static_cast<std::size_t>(of_path)].end;
    ++nodes_[static_cast<std::size_t>(path.back())].n_here;
    before = bytes;
  }
}

int VocabTrie::child(int id, unsigned char byte) const {
  int found = node(id).first_child;
  while (found != kNone && node(found).byte != byte) found = node(found).next_sibling;
  return found;
}

}  // namespace labelprobe::readout
