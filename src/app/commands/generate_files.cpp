#include "app/commands/generate_files.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <istream>
#include <limits>
#include <map>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"

namespace labelprobe::app {

namespace {

using nlohmann::json;

constexpr const char* kExpectedLine =
    "expected an object like {\"id\": \"a\", \"text\": \"...\"} or {\"id\": \"a\", \"token_ids\": "
    "[1, 2]}, found ";

TokenIds read_token_ids(const json& value, const std::string& place) {
  const auto is_token_id = [](const json& item) {
    return item.is_number_integer() && item.get<double>() >= 0 &&
           item.get<double>() <= std::numeric_limits<TokenId>::max();
  };
  if (!value.is_array()) {
    throw DataError(place + ": token_ids: expected an array of token ids, found " +
                    value.type_name());
  }
  const auto bad = std::find_if_not(value.begin(), value.end(), is_token_id);
  if (bad != value.end()) {
    throw DataError(place + ": token_ids[" + std::to_string(bad - value.begin()) +
                    "]: expected a token id, found " + bad->dump().substr(0, 60));
  }
  return value.get<TokenIds>();
}

PromptLine read_line(const std::string& text, const std::string& place) {
  json line;
  try {
    line = json::parse(text);
  } catch (const json::parse_error& error) {
    throw DataError(place + ": " + kExpectedLine + "no JSON (byte " + std::to_string(error.byte) +
                    ")");
  }
  if (!line.is_object()) throw DataError(place + ": " + kExpectedLine + line.type_name());
  const auto id = line.find("id");
  if (id == line.end() || !id->is_string()) {
    throw DataError(place + ": id: expected a string, found " +
                    (id == line.end() ? "nothing" : id->type_name()));
  }
  PromptLine prompt;
  prompt.id = id->get<std::string>();
  const auto prompt_text = line.find("text");
  const auto token_ids = line.find("token_ids");
  if ((prompt_text == line.end()) == (token_ids == line.end())) {
    throw DataError(place + ": expected one of text and token_ids, found " +
                    (token_ids == line.end() ? "neither" : "both"));
  }
  if (token_ids != line.end()) {
    prompt.token_ids = read_token_ids(*token_ids, place);
  } else if (prompt_text->is_string()) {
    prompt.text = prompt_text->get<std::string>();
  } else {
    throw DataError(place + ": text: expected a string, found " + prompt_text->type_name());
  }
  return prompt;
}

}  // namespace

std::vector<PromptLine> read_prompt_lines(std::istream& in, const std::string& name) {
  std::vector<PromptLine> prompts;
  std::unordered_map<std::string, int> line_of;
  std::string text;
  for (int number = 1; std::getline(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = name + ":" + std::to_string(number);
    prompts.push_back(read_line(text, place));
    const auto [entry, is_new] = line_of.emplace(prompts.back().id, number);
    if (!is_new) {
      throw DataError(place + ": expected a new id, found '" + prompts.back().id + "' of line " +
                      std::to_string(entry->second));
    }
  }
  return prompts;
}

void write_safetensors(const std::filesystem::path& path,
                       std::span<const NamedRows> tensors,
                       std::size_t n_columns) {
  static_assert(std::endian::native == std::endian::little, "the format is little-endian");
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::size_t begin = 0;
  for (const NamedRows& tensor : tensors) {
    if (tensor.numbers.empty()) continue;
    const std::size_t end = begin + tensor.numbers.size() * sizeof(float);
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", {tensor.numbers.size() / n_columns, n_columns}},
                           {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins aligned
  const std::uint64_t n_header = text.size();
  files::OutputFile output(path);
  std::ostream& file = output.stream();
  file.write(reinterpret_cast<const char*>(&n_header), sizeof n_header);
  file << text;
  for (const NamedRows& tensor : tensors) {
    file.write(reinterpret_cast<const char*>(tensor.numbers.data()),
               static_cast<std::streamsize>(tensor.numbers.size() * sizeof(float)));
  }
  output.finish();
}

}  // namespace labelprobe::app
