#include "app/commands/generate_files.h"

#include <cstdint>
#include <istream>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "labelprobe/files/json.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/safetensors_writer.h"

namespace labelprobe::app {

namespace {

PromptLine read_prompt_line(const files::JsonView& line) {
  if (!line.value().is_object()) {
    line.fail_expected(
        R"(an object like {"id": "a", "text": "..."} or {"id": "a", "token_ids": [1, 2]})");
  }
  PromptLine prompt;
  prompt.id = line.at("id").string();
  if (line.has("text") == line.has("token_ids")) {
    line.fail_expected("one of text and token_ids", line.has("text") ? "both" : "neither");
  }
  if (line.has("text")) {
    prompt.text = line.at("text").string();
    return prompt;
  }
  prompt.token_ids.emplace();
  for (const files::JsonView& id : line.at("token_ids").items()) {
    prompt.token_ids->push_back(
        static_cast<TokenId>(id.integer(0, std::numeric_limits<TokenId>::max())));
  }
  return prompt;
}

}  // namespace

std::vector<PromptLine> read_prompt_lines(std::istream& in, const std::string& name) {
  std::vector<PromptLine> prompts;
  std::unordered_map<std::string, std::string> place_of;
  files::for_each_json_line(in, name, [&](const files::JsonView& line) {
    prompts.push_back(read_prompt_line(line));
    const auto [entry, is_new] = place_of.emplace(prompts.back().id, line.place());
    if (!is_new) {
      line.fail_expected("a new id",
                         fmt::format("'{}' as in {}", prompts.back().id, entry->second));
    }
  });
  return prompts;
}

void write_logits(const std::filesystem::path& path,
                  std::span<const NamedRows> rows,
                  std::size_t n_columns) {
  std::vector<files::SafetensorsTensor> tensors;
  for (const NamedRows& of_name : rows) {
    if (of_name.numbers.empty()) continue;
    const std::size_t n_rows = of_name.numbers.size() / n_columns;
    tensors.push_back({of_name.name,
                       "F32",
                       {static_cast<std::int64_t>(n_rows), static_cast<std::int64_t>(n_columns)},
                       std::as_bytes(std::span(of_name.numbers))});
  }
  files::OutputFile output(path);
  files::write_safetensors(output.stream(), tensors);
  output.finish();
}

}  // namespace labelprobe::app
