// HateXplain (Mathew et al., AAAI 2021) in the files of its authors: dataset.json with the posts
// and their annotators, post_id_divisions.json with the splits. Posts of a split that dataset.json
// lacks may come from majority_labels.jsonl, which knows their majority label only.
#include <algorithm>
#include <array>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "labelprobe/core/error.h"

#include "data/reading/json_file.h"
#include "data/reading/records.h"
#include "data/reading/table_file.h"
#include "data/reading/votes.h"

namespace labelprobe::data {

namespace {

using Json = nlohmann::json;

// The names of the files, in the order of our label set: hate, normal, offensive.
const std::array<std::string, 3> kFileLabels = {"hatespeech", "normal", "offensive"};

LabelIndex label_at(const Json& object, const std::string& place) {
  const std::string label = string_at(object, "label", place);
  const auto found = std::find(kFileLabels.begin(), kFileLabels.end(), label);
  if (found == kFileLabels.end()) {
    throw DataError(place + ": " + unknown_choice("label", label, kFileLabels));
  }
  return static_cast<LabelIndex>(found - kFileLabels.begin());
}

std::string text_of(const Json& post, const std::string& place) {
  const Json& tokens = member_of(post, "post_tokens", place);
  if (!tokens.is_array() || tokens.empty()) {
    throw DataError(place + ": expected a list of words under 'post_tokens', found " +
                    (tokens.is_array() ? "an empty one" : tokens.type_name()));
  }
  std::string text;
  for (const Json& token : tokens) {
    if (!token.is_string()) {
      throw DataError(place + ": expected strings in 'post_tokens', found " + token.type_name());
    }
    text += (text.empty() ? "" : " ") + token.get_ref<const std::string&>();
  }
  return text;
}

Record annotated_record(const std::string& post_id, const Json& post, const std::string& place) {
  Record record{post_id, text_of(post, place), {}};
  const Json& annotators = member_of(post, "annotators", place);
  if (!annotators.is_array() || annotators.empty()) {
    throw DataError(place + ": expected a list of annotators, found " +
                    (annotators.is_array() ? "an empty one" : annotators.type_name()));
  }
  std::vector<LabelIndex> votes;
  for (const Json& vote : annotators) {
    votes.push_back(label_at(vote, place));
    std::string annotator = id_at(vote, "annotator_id", place);
    check_annotator(annotator, place);
    set_vote(record.votes, {std::move(annotator), {votes.back()}});
  }
  // The authors drop posts with three different votes from the splits; where there are any, they
  // stay here.
  record.votes.push_back({std::string(kAggregate), {majority_of(votes)}});
  return record;
}

// The posts of majority_labels.jsonl, read when the first post is missing elsewhere.
class MajorityPosts {
 public:
  explicit MajorityPosts(std::filesystem::path path) : path_(std::move(path)) {}

  bool exists() const {
    std::error_code error;
    return std::filesystem::exists(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

  struct Post {
    std::optional<Record> record;  // unset: the file does not know its label
    std::string place;
  };

  const Post* find(const std::string& post_id) {
    if (!is_read_) {
      read();
    }
    const auto found = posts_.find(post_id);
    return found == posts_.end() ? nullptr : &found->second;
  }

 private:
  void read() {
    is_read_ = true;
    for_each_json_line(path_, [&](const Json& row, const std::string& place) {
      const std::string post_id = string_at(row, "post_id", place);
      Post post{std::nullopt, place};
      if (!member_of(row, "label", place).is_null()) {
        post.record = Record{
            post_id, text_of(row, place), {{std::string(kAggregate), {label_at(row, place)}}}};
      }
      if (!posts_.emplace(post_id, std::move(post)).second) {
        throw DataError(place + ": expected distinct posts, found '" + post_id + "' again");
      }
    });
  }

  std::filesystem::path path_;
  bool is_read_ = false;
  std::unordered_map<std::string, Post> posts_;
};

std::vector<std::string> read_division(const Json& divisions,
                                       const std::filesystem::path& path,
                                       const std::string& division) {
  const Json& ids = member_of(divisions, division.c_str(), path.string());
  if (!ids.is_array() || ids.empty()) {
    throw DataError(path.string() + ": expected a list of post ids under '" + division +
                    "', found " + (ids.is_array() ? "an empty one" : ids.type_name()));
  }
  std::vector<std::string> post_ids;
  for (const Json& id : ids) {
    if (!id.is_string()) {
      throw DataError(path.string() + ": expected strings under '" + division + "', found " +
                      id.type_name());
    }
    post_ids.push_back(id.get<std::string>());
  }
  return post_ids;
}

void warn_about_posts(std::vector<std::string>& warnings,
                      const std::string& split,
                      const std::vector<std::string>& post_ids,
                      const std::string& what) {
  if (!post_ids.empty()) {
    warnings.push_back("Hatexplain, split " + split + ": " + std::to_string(post_ids.size()) +
                       " posts " + what + ": " + some_of(post_ids));
  }
}

SplitRecords make_split(const std::string& split,
                        const std::vector<std::string>& post_ids,
                        const Json& posts,
                        const DatasetOptions& options,
                        MajorityPosts& majority_posts,
                        std::vector<std::string>& warnings) {
  const std::filesystem::path posts_path = options.root_dir / "dataset.json";
  SplitRecords records(split);
  std::vector<std::string> majority_only;
  std::vector<std::string> unlabelled;
  for (const std::string& post_id : post_ids) {
    if (const auto found = posts.find(post_id); found != posts.end()) {
      const std::string place = posts_path.string() + ": post '" + post_id + "'";
      records.add(annotated_record(post_id, *found, place), place);
      continue;
    }
    const MajorityPosts::Post* post =
        majority_posts.exists() ? majority_posts.find(post_id) : nullptr;
    if (post == nullptr) {
      throw DataError(posts_path.string() + ": expected all " + std::to_string(post_ids.size()) +
                      " posts of split '" + split + "', found no post '" + post_id +
                      "' here or in majority_labels.jsonl; fetch the authors' whole dataset.json");
    }
    if (post->record) {
      records.add(*post->record, post->place);
      majority_only.push_back(post_id);
    } else {
      unlabelled.push_back(post_id);
    }
  }
  if (options.annotation_mode != AnnotationMode::Aggregate) {
    warn_about_posts(warnings, split, majority_only,
                     "have a majority label only (majority_labels.jsonl) and no annotators");
  }
  warn_about_posts(warnings, split, unlabelled,
                   "have no label in majority_labels.jsonl and are left out");
  return records;
}

}  // namespace

LoadedSplits load_hatexplain(const DatasetOptions& options) {
  static const std::array<std::string, 5> kSplits = {"train", "dev", "test", "val", "validation"};
  for (const std::string& split : options.splits) {
    check_split("Hatexplain", split, kSplits);
  }
  LoadedSplits loaded;
  loaded.label_set = LabelSet({"hate", "normal", "offensive"}, LabelKind::SingleLabel);
  const std::filesystem::path divisions_path = options.root_dir / "post_id_divisions.json";
  const std::filesystem::path posts_path = options.root_dir / "dataset.json";
  const Json divisions = parse_json(divisions_path, open_file(divisions_path, kDataFile).text());
  const Json posts = parse_json(posts_path, open_file(posts_path, kDataFile).text());
  if (!posts.is_object()) {
    throw DataError(posts_path.string() + ": expected an object post id -> post, found " +
                    posts.type_name());
  }
  MajorityPosts majority_posts(options.root_dir / "majority_labels.jsonl");
  for (const std::string& split : options.splits) {
    const bool is_dev = split == "dev" || split == "validation";
    const std::vector<std::string> post_ids =
        read_division(divisions, divisions_path, is_dev ? "val" : split);
    loaded.splits.push_back(
        make_split(split, post_ids, posts, options, majority_posts, loaded.warnings));
  }
  return loaded;
}

}  // namespace labelprobe::data
