// The text of task files: names and texts as YAML that reads back as the same.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace labelprobe::data {

// Whether a file's name ends as those of task files: .yaml or .yml.
bool is_yaml_file(const std::filesystem::path& path);

// A text within one line: plain where no reader could take it for anything else, else in quotes.
std::string yaml_text(std::string_view text);

// "[anger, joy]", "{anger: a_share, joy: j_share}".
std::string flow_list(std::span<const std::string> texts);
std::string flow_map(std::span<const std::pair<std::string, std::string>> pairs);

// "1,000 rows", "1 row".
std::string counted(std::size_t n, std::string_view one);

// Tables by split, in the order of the splits; one split "" where they are not told apart.
using SplitTables = std::vector<std::pair<std::string, std::vector<std::filesystem::path>>>;

// The line "files: .." with its line break; paths relative to `folder`, whole where that is empty.
std::string files_line(const SplitTables& tables, const std::filesystem::path& folder);

// The table at `path`, and those beside it whose names differ in the word for the split alone:
// tweets_train.csv, tweets_test.csv.
SplitTables tables_beside(const std::filesystem::path& path);

// What a file is called without its ending and the word for its split: "tweets".
std::string set_name(const std::filesystem::path& path);

// "train", "validation" or "test" where one of the words for it stands by itself in `name`: val,
// dev, eval, ...; else empty.
std::string split_in(std::string_view name);

}  // namespace labelprobe::data
