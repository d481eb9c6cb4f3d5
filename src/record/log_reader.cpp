#include "labelprobe/record/log_reader.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/mapped_file.h"

namespace labelprobe::record {

namespace {

constexpr std::string_view kFileName = "indexed_metrics.yml";
constexpr std::string_view kPrefix = "experiment_";

// A top-level entry's lines: only the wanted experiment is parsed, however many stand before it.
struct Block {
  int index = 0;
  std::size_t first_line = 0;  // from 0
  std::string_view text;
};

std::vector<Block> find_blocks(std::string_view text) {
  std::vector<Block> blocks;
  std::size_t line_number = 0;
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(kPrefix)) {
      Block block;
      const char* digits = line.data() + kPrefix.size();
      const auto [stop, error] = std::from_chars(digits, line.data() + line.size(), block.index);
      if (error == std::errc() && stop != line.data() + line.size() && *stop == ':') {
        block.first_line = line_number;
        block.text = text.substr(at, 0);
        blocks.push_back(block);
      }
    }
    if (!blocks.empty()) {
      blocks.back().text =
          std::string_view(blocks.back().text.data(),
                           static_cast<std::size_t>(text.data() + end - blocks.back().text.data()));
    }
    at = end;
  }
  return blocks;
}

// Reads one entry; every failure says the line and the field.
class EntryReader {
 public:
  EntryReader(const std::string& file, std::size_t first_line, const YAML::Node& entry)
      : file_(file), first_line_(first_line), entry_(entry) {}

  ItemRecord read(const std::string& key) const {
    ItemRecord item;
    item.key = key;
    const std::size_t separator = key.find("__");
    item.annotator = separator == std::string::npos ? "aggregate" : key.substr(separator + 2);
    const YAML::Node gold = entry_["test_gt"];
    item.kind = gold && gold.IsScalar() ? LabelKind::SingleLabel : LabelKind::MultiLabel;
    item.gold = names("test_gt");
    item.predictions = names("test_preds");
    item.query_text = text("test_text").value_or("");
    item.outs = text("test_outs").value_or("");
    item.residual_outs = text("test_residual_outs").value_or("");
    item.prefix_outs = text("test_prefix_outs");
    item.failure = text("test_failure");
    item.prompt_fingerprint = text("test_prompt_hash").value_or("");
    // The plain prompting programs log all label steps under test_scores.
    const YAML::Node scores = entry_["test_scores"];
    const YAML::Node all_scores =
        scores && scores.IsSequence() ? scores : entry_["test_all_scores"];
    if (all_scores) {
      for (const YAML::Node& step : all_scores) {
        item.all_scores.push_back(values(step, "test_all_scores"));
      }
    }
    if (scores && scores.IsMap()) {
      item.scores = values(scores, "test_scores");
    } else if (!item.all_scores.empty()) {
      item.scores = item.all_scores.front();
    }
    if (const YAML::Node logits = entry_["test_logits"]; logits && logits.IsMap()) {
      item.label_logits = values(logits, "test_logits");
    }
    item.is_label_found = !item.all_scores.empty();
    if (const YAML::Node top_tokens = entry_["test_top_tokens"]) {
      for (const YAML::Node& top : top_tokens) {
        if (top.size() != 2) {
          fail(top, "test_top_tokens", "[token, logit]");
        }
        item.top_tokens.emplace_back(top[0].as<std::string>(), number(top[1], "test_top_tokens"));
      }
    }
    if (const YAML::Node ids = entry_["test_outs_ids"]) {
      for (const YAML::Node& id : ids) {
        item.outs_ids.push_back(static_cast<TokenId>(integer(id, "test_outs_ids")));
      }
    }
    if (const YAML::Node at = entry_["test_outs_id_index"]) {
      item.outs_id_index = integer(at, "test_outs_id_index");
    }
    if (const YAML::Node n = entry_["test_n_prompt_tokens"]) {
      item.n_prompt_tokens = integer(n, "test_n_prompt_tokens");
    }
    return item;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node,
                         const std::string& field,
                         const std::string& expected) const {
    const std::size_t line =
        first_line_ + static_cast<std::size_t>(std::max(node.Mark().line, 0)) + 1;
    throw DataError(file_ + ":" + std::to_string(line) + ": " + field + ": expected " + expected +
                    (node.IsScalar() ? ", found '" + node.Scalar() + "'" : ""));
  }

  std::optional<std::string> text(const std::string& field) const {
    const YAML::Node node = entry_[field];
    if (!node || node.IsNull()) {
      return std::nullopt;
    }
    if (!node.IsScalar()) {
      fail(node, field, "a text");
    }
    return node.Scalar();
  }

  std::vector<std::string> names(const std::string& field) const {
    const YAML::Node node = entry_[field];
    std::vector<std::string> found;
    if (node && node.IsScalar()) {
      found.push_back(node.Scalar());
    } else if (node && node.IsSequence()) {
      for (const YAML::Node& name : node) {
        found.push_back(name.as<std::string>());
      }
    }
    return found;
  }

  LabelValues values(const YAML::Node& node, const std::string& field) const {
    if (!node.IsMap()) {
      fail(node, field, "a mapping of label names to numbers");
    }
    LabelValues found;
    for (const auto& entry : node) {
      found.emplace_back(entry.first.Scalar(), number(entry.second, field));
    }
    return found;
  }

  float number(const YAML::Node& node, const std::string& field) const {
    float parsed = 0.0F;
    if (!node.IsScalar() || !YAML::convert<float>::decode(node, parsed)) {
      fail(node, field, "a number");
    }
    return parsed;
  }

  std::int64_t integer(const YAML::Node& node, const std::string& field) const {
    std::int64_t parsed = 0;
    if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, parsed)) {
      fail(node, field, "an integer");
    }
    return parsed;
  }

  const std::string& file_;
  std::size_t first_line_;
  const YAML::Node& entry_;
};

}  // namespace

LoggedExperiment read_experiment(const std::filesystem::path& folder, std::optional<int> index) {
  const std::filesystem::path path = folder / kFileName;
  if (!std::filesystem::exists(path)) {
    throw DataError(path.string() + ": no such file; expected the folder of a finished run");
  }
  const MappedFile file(path);
  const std::vector<Block> blocks = find_blocks(file.text());
  const auto block = index ? std::find_if(blocks.begin(), blocks.end(),
                                          [&](const Block& b) { return b.index == *index; })
                           : (blocks.empty() ? blocks.end() : blocks.end() - 1);
  if (block == blocks.end()) {
    std::string known;
    for (const Block& b : blocks) {
      known += (known.empty() ? "" : ", ") + std::to_string(b.index);
    }
    throw ConfigError(path.string() + ": " +
                      (index ? "no experiment " + std::to_string(*index) : "no experiments") +
                      " (there are: " + known + ")");
  }
  const std::string name = path.string();
  LoggedExperiment experiment{block->index, {}};
  try {
    const YAML::Node root = YAML::Load(std::string(block->text));
    const YAML::Node entries = root.begin()->second;
    if (!entries.IsMap()) {
      throw DataError(name + ":" + std::to_string(block->first_line + 1) +
                      ": expected a mapping of ids to entries");
    }
    for (const auto& entry : entries) {
      if (entry.second.IsMap()) {  // `description` is a text
        experiment.items.push_back(
            EntryReader(name, block->first_line, entry.second).read(entry.first.Scalar()));
      }
    }
  } catch (const YAML::Exception& error) {
    throw DataError(name + ":" +
                    std::to_string(block->first_line +
                                   static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1) +
                    ": " + error.msg);
  }
  return experiment;
}

}  // namespace labelprobe::record
