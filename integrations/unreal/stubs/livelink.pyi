# What unreal-stub 0.3 (Unreal 5.6) lacks, with the source of each signature. Appended to it.
from unreal import Array, BlueprintFunctionLibrary, LiveLinkSubjectName, Object

class LiveLinkBlueprintLibrary(BlueprintFunctionLibrary):
    # Engine/Plugins/Animation/LiveLink, LiveLinkBlueprintLibrary.h, BlueprintCallable:
    # TArray<FLiveLinkSubjectName> GetLiveLinkEnabledSubjectNames(bool bIncludeVirtualSubject)
    @classmethod
    def get_live_link_enabled_subject_names(
        cls, include_virtual_subject: bool
    ) -> Array[LiveLinkSubjectName]: ...

class LiveLinkPreset(Object):
    # Engine/Plugins/Animation/LiveLink, LiveLinkPreset.h, BlueprintCallable: void BuildFromClient()
    def build_from_client(self) -> None: ...
