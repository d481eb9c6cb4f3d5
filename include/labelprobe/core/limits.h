// How much of what strangers write is read: sizes, depths and counts, each well above what honest
// files have. What exceeds one is refused, and the message names the number. Where nothing stands
// here a file takes memory in proportion to its own size, and no more time than that.
// Not here: how much is shown of something, and limits of what we compute.
#pragma once

#include <cstddef>
#include <cstdint>

namespace labelprobe::limits {

// JSON and YAML. Deeper nesting is an attack on the stack; a few aliases of YAML stand for more
// values than any memory holds.
inline constexpr int kJsonDepth = 32;
inline constexpr int kYamlDepth = 64;
inline constexpr std::size_t kYamlValues = 10'000'000;  // of a document, those behind aliases too

// Tables. A cell takes more memory than the byte that ends it in a file.
inline constexpr std::size_t kTableColumns = 65'536;
inline constexpr std::size_t kUnpackedBytes = std::size_t{4} << 30;  // of a compressed one
inline constexpr std::uint32_t kPatternSteps = 1'000'000;  // of matching a pattern with a cell

// Containers of tensors.
inline constexpr std::uint64_t kSafetensorsHeaderBytes = 100'000'000;  // as its reference has it
inline constexpr std::uint64_t kTensorElements = std::uint64_t{1} << 48;
inline constexpr std::uint32_t kGgufDimensions = 4;
inline constexpr std::uint64_t kGgufAlignment = std::uint64_t{1} << 20;
inline constexpr std::size_t kNpyHeaderBytes = 1024;                     // of a plain array 118
inline constexpr std::uint64_t kVectorNumbers = std::uint64_t{1} << 20;  // of a sentence vector

// Workbooks. Parts once unpacked: far above any table of annotations, far below a zip bomb.
inline constexpr std::size_t kWorkbookPartBytes = std::size_t{32} << 20;
inline constexpr std::size_t kWorkbookRows = 1'048'576;                    // by the format
inline constexpr std::size_t kWorkbookColumns = 256;                       // that are read
inline constexpr std::size_t kWorkbookCellBytes = std::size_t{3} * 32767;  // by the format, UTF-8

// Models: what config.json and GGUF headers may say.
inline constexpr std::int64_t kModelDimension = std::int64_t{1} << 24;
inline constexpr std::int64_t kModelLayers = 4096;
inline constexpr std::int64_t kModelPositions = std::int64_t{1} << 30;
inline constexpr std::int64_t kEncoderSize = 1 << 20;  // any size of a sentence encoder
inline constexpr std::int64_t kEncoderLayers = 1000;

// Tokenizers. A table has a place for every id up to the largest.
inline constexpr std::int64_t kTokenId = 10'000'000;
inline constexpr std::size_t kUnusedIds = std::size_t{1} << 20;  // of a vocabulary in JSON

// A normalizer may lengthen a text, and others what it made: up to so many times, or up to a size
// that harms nobody.
inline constexpr std::size_t kNormalizedTimes = 64;
inline constexpr std::size_t kNormalizedBytes = std::size_t{1} << 20;
// The longest token whose parts are looked for, which costs time in the square of its length.
inline constexpr std::size_t kDividedTokenBytes = 4096;

// Chat templates, which are programs that come with a model: they must neither hang us nor take our
// memory or stack. Published ones stay far below: the longest has 18,000 bytes, and a chat of 100
// messages takes some 10,000 steps.
inline constexpr std::size_t kTemplateBytes = std::size_t{1} << 20;  // of its own text
inline constexpr int kTemplateSyntaxDepth = 200;                     // statements, expressions
inline constexpr int kTemplateValueDepth = 64;                       // lists and mappings
inline constexpr int kTemplateCallDepth = 64;                        // macros calling macros
inline constexpr std::int64_t kTemplateSteps = 10'000'000;           // expressions, rounds, items
inline constexpr std::int64_t kTemplateTextBytes = std::int64_t{1} << 29;  // made on the way
inline constexpr std::int64_t kTemplateRange = 100'000;  // of range(), as Jinja's sandbox has it

// Answers of servers.
inline constexpr std::size_t kReplyBytes = std::size_t{64} << 20;
inline constexpr std::int64_t kReplyTokens = std::int64_t{1} << 40;  // as its usage counts them
inline constexpr std::int64_t kReplyContext = std::int64_t{1} << 30;

}  // namespace labelprobe::limits
