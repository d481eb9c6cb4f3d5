#include "record/shards/shard_plan.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/python/repr.h"

#include "record/folder/folder_choice.h"
#include "record/folder/folder_name.h"
#include "record/folder/manifest.h"
#include "record/folder/params.h"

namespace labelprobe::record {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kShardFormat = 1;
constexpr std::size_t kHashDigits = 10;
// File systems take 255 bytes of a name, of which ".shards-<hash>" takes its part.
constexpr std::size_t kLongestName = 225;

// A number with a point is a text in an object of its own, for JSON has no infinity.
json encode_value(const ParamValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return {{"real", python::repr(*number)}};
  return as_json(value);
}

ParamValue decode_value(const json& node) {
  if (node.is_null()) return std::monostate{};
  if (node.is_boolean()) return node.get<bool>();
  if (node.is_number_integer()) return node.get<std::int64_t>();
  if (node.is_string()) return node.get<std::string>();
  if (node.is_array()) return node.get<std::vector<std::string>>();
  return std::strtod(node.at("real").get_ref<const std::string&>().c_str(), nullptr);
}

json encode_request(const RunRequest& request) {
  json params = json::array();
  for (const Param& param : request.params) {
    params.push_back({{"name", param.name},
                      {"value", encode_value(param.value)},
                      {"is_comparable", param.is_comparable},
                      {"bearing", static_cast<int>(param.bearing)}});
    if (param.name_priority) params.back()["name_priority"] = *param.name_priority;
  }
  return {{"category", request.category},
          {"scores_are_all_steps", request.layout.scores_are_all_steps},
          {"sets_annotators_apart", request.layout.sets_annotators_apart},
          {"alternative_name", request.alternative_name},
          {"description", request.description},
          {"params", params},
          {"contents", request.contents},
          {"appends", request.if_finished == IfFinished::Append},
          {"moves_equal", request.moves_equal}};
}

RunRequest decode_request(const json& node) {
  RunRequest request;
  node.at("category").get_to(request.category);
  node.at("scores_are_all_steps").get_to(request.layout.scores_are_all_steps);
  node.at("sets_annotators_apart").get_to(request.layout.sets_annotators_apart);
  node.at("alternative_name").get_to(request.alternative_name);
  node.at("description").get_to(request.description);
  for (const json& param : node.at("params")) {
    Param& made = request.params.emplace_back();
    param.at("name").get_to(made.name);
    made.value = decode_value(param.at("value"));
    param.at("is_comparable").get_to(made.is_comparable);
    made.bearing = static_cast<Bearing>(std::clamp(param.at("bearing").get<int>(), 0, 2));
    if (param.contains("name_priority")) made.name_priority = param.at("name_priority").get<int>();
  }
  node.at("contents").get_to(request.contents);
  request.if_finished = node.at("appends").get<bool>() ? IfFinished::Append : IfFinished::Keep;
  node.at("moves_equal").get_to(request.moves_equal);
  return request;
}

json encode_rows(const std::vector<RowLayout>& rows) {
  json list = json::array();
  for (const RowLayout& layout : rows) {
    list.push_back({{"name", layout.name},
                    {"tensor", layout.tensor},
                    {"shape", layout.shape},
                    {"notes", layout.notes},
                    {"format", layout.format}});
  }
  return list;
}

std::vector<RowLayout> decode_rows(const json& list) {
  std::vector<RowLayout> rows;
  for (const json& node : list) {
    RowLayout& layout = rows.emplace_back();
    node.at("name").get_to(layout.name);
    node.at("tensor").get_to(layout.tensor);
    node.at("shape").get_to(layout.shape);
    node.at("notes").get_to(layout.notes);
    node.at("format").get_to(layout.format);
  }
  return rows;
}

// Its name becomes a file's, its shape a number of bytes.
void check_layout(const RowLayout& layout, const fs::path& folder) {
  constexpr std::int64_t kMostNumbers = std::int64_t{1} << 31;
  std::int64_t n = 1;
  for (const std::int64_t size : layout.shape) {
    n = size < 1 || size > kMostNumbers / n ? kMostNumbers + 1 : n * size;
    if (n > kMostNumbers) break;
  }
  check_relative(layout.name, "file of rows");
  if (n > kMostNumbers || layout.name.find('/') != std::string::npos) {
    throw DataError(fmt::format("{}: expected rows of at most {} numbers in a file beside it",
                                (folder / kPlanName).string(), kMostNumbers));
  }
}

// The folder that `below` lies in, where `folder` ends in it.
fs::path root_above(const fs::path& folder, const fs::path& below) {
  for (const fs::path& named : {folder, fs::absolute(folder)}) {
    const std::string text = named.string();
    const std::string ending = fmt::format("/{}", below.string());
    if (named == below) return ".";
    if (text.ends_with(ending)) return text.substr(0, text.size() - ending.size());
  }
  throw DataError(
      fmt::format("{}: expected the folder of shards to be called {}, as when they were begun",
                  folder.string(), below.string()));
}

ShardPlan decode_plan(const json& root, const fs::path& folder) {
  if (root.at("format") != kShardFormat || root.at("record_version") != kRecordVersion) {
    throw DataError(fmt::format(
        "{}: was written by another version of the program, which alone can go on with it",
        (folder / kPlanName).string()));
  }
  ShardPlan plan;
  plan.request = decode_request(root.at("request"));
  plan.request.log_root = root_above(folder, root.at("place").get<std::string>());
  root.at("n_shards").get_to(plan.n_shards);
  root.at("keys").get_to(plan.keys);
  root.at("shard_of").get_to(plan.shard_of);
  plan.rows = decode_rows(root.at("rows"));
  for (const RowLayout& layout : plan.rows) check_layout(layout, folder);
  plan.scoring = root.at("scoring").dump();
  plan.request.n_items = plan.keys.size();
  const bool are_shards = std::all_of(plan.shard_of.begin(), plan.shard_of.end(), [&](int shard) {
    return shard >= 1 && shard <= plan.n_shards;
  });
  if (plan.n_shards < 1 || plan.shard_of.size() != plan.keys.size() || !are_shards) {
    throw DataError(
        fmt::format("{}: its shards do not fit its items", (folder / kPlanName).string()));
  }
  return plan;
}

}  // namespace

std::vector<std::string> ShardPlan::keys_of(int shard) const {
  std::vector<std::string> of_shard;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (shard_of[i] == shard) of_shard.push_back(keys[i]);
  }
  return of_shard;
}

fs::path place_of(const RunRequest& request) {
  json params = comparable_form(request.params);
  for (const std::string& name : names_with(request.params, Bearing::Process)) params.erase(name);
  for (const Param& param : request.params) {
    if (const auto found = params.find(param.name); found != params.end() && found->is_null()) {
      params.erase(found);
    }
  }
  const std::string hash = fingerprint(params.dump()).substr(0, kHashDigits);
  const fs::path name = wanted_name(request);
  std::string last = name.filename().string();
  if (last.size() > kLongestName) {
    last.resize(kLongestName);
    // Not in the middle of a character.
    while (!last.empty() && (static_cast<unsigned char>(last.back()) & 0x80U) != 0) last.pop_back();
  }
  return fs::path(request.category) / name.parent_path() / fmt::format("{}.shards-{}", last, hash);
}

fs::path shards_folder(const RunRequest& request) {
  return request.log_root / place_of(request);
}

fs::path folder_of_shard(const fs::path& shards_folder, int shard, int n_shards) {
  return shards_folder / fmt::format("shard_{}_of_{}", shard, n_shards);
}

std::string encode_plan(const ShardPlan& plan) {
  const json root = {{"format", kShardFormat},
                     {"record_version", kRecordVersion},
                     {"place", place_of(plan.request).string()},
                     {"n_shards", plan.n_shards},
                     {"request", encode_request(plan.request)},
                     {"keys", plan.keys},
                     {"shard_of", plan.shard_of},
                     {"rows", encode_rows(plan.rows)},
                     {"scoring", json::parse(plan.scoring)}};
  return root.dump() + "\n";
}

ShardPlan load_plan(const fs::path& shards_folder) {
  const fs::path file = shards_folder / kPlanName;
  try {
    return decode_plan(json::parse(files::MappedFile(file).text()), shards_folder);
  } catch (const json::exception& error) {
    throw DataError(fmt::format(
        "{}: not the plan of a run's shards ({}); restore the file, or remove its folder and give "
        "the shards' commands again",
        file.string(), error.what()));
  }
}

void check_same(const ShardPlan& there, const ShardPlan& here, const fs::path& shards_folder) {
  const std::string folder = shards_folder.string();
  if (there.n_shards != here.n_shards) {
    throw ConfigError(fmt::format(
        "--shard: this run is being made in {} shards, found one of {}; give --shard i/{}, or "
        "remove {} to begin anew",
        there.n_shards, here.n_shards, there.n_shards, folder));
  }
  Experiment begun;
  begun.contents = there.request.contents;
  if (begun.contents != here.request.contents) {
    throw ConfigError(fmt::format(
        "{}: the shards of this run were begun with other contents; changed since: {}. Put back "
        "what they were begun with, or remove the folder to begin anew",
        folder, changed_contents(begun, here.request)));
  }
  if (there.keys != here.keys || there.shard_of != here.shard_of) {
    throw ConfigError(
        fmt::format("{}: the shards of this run were begun with other items, or others in each "
                    "shard; remove the folder to begin anew",
                    folder));
  }
}

std::string fingerprint_of_journal(const fs::path& shard_folder) {
  const fs::path journal = shard_folder / kShardJournalName;
  const std::optional<std::uint64_t> n_bytes = files::size_of(journal);
  return n_bytes ? files::fingerprint_of_part(journal, 0, *n_bytes) : fingerprint("");
}

bool is_finished_shard(const fs::path& shard_folder) {
  const fs::path file = shard_folder / kShardFinishedName;
  if (!files::size_of(file)) return false;
  const json noted = json::parse(files::MappedFile(file).text(), nullptr, false);
  const auto found = noted.is_object() ? noted.find("xxh3") : noted.end();
  if (found == noted.end() || !found->is_string()) return false;
  return *found == fingerprint_of_journal(shard_folder);
}

}  // namespace labelprobe::record
