include $(sort $(wildcard $(BR2_EXTERNAL_NUTLET_PATH)/package/*/*.mk))
